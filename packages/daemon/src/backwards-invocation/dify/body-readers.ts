/** The two forms of Dify's answers: one JSON object, or a stream of frames (docs/wire/runtime-protocol.md#answers-of-dify). */
import { DifyError } from './dify-error.ts';
import { openEnvelope } from './envelope.ts';
import type { BodyReader } from './exchange.ts';
import { FrameDecoder, FrameError } from './frame-decoder.ts';

/** Takes the JSON text of one result object; a returned promise means: no more until it settles. */
export type ResultSink = (data: string) => Promise<void> | undefined;

/** One object as the whole body. */
export class JsonReader implements BodyReader {
  /** The JSON text of the result; set when the exchange is done. */
  result = '';
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  accepts(status: number): boolean {
    return status >= 200 && status < 300;
  }

  chunk(bytes: Buffer): undefined {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    if (this.#size > this.#maxBytes) {
      throw new DifyError('read', `Dify's answer is longer than ${this.#maxBytes} bytes`, {
        remedy: 'Raise RESPONSE_MAX_BUFFER_SIZE',
      });
    }
  }

  end(): undefined {
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#size);
    this.result = openEnvelope(body.toString('utf8').trim(), 'read');
  }
}

/** Frames, each delivered as soon as it is complete and the one before was taken. */
export class FrameReader implements BodyReader {
  readonly #decoder: FrameDecoder;
  readonly #sink: ResultSink;
  /** Set while a result waits to be taken. */
  #delivery: Promise<void> | undefined;

  constructor(maxBytes: number, sink: ResultSink) {
    this.#decoder = new FrameDecoder(maxBytes);
    this.#sink = sink;
  }

  accepts(status: number): boolean {
    return status === 200;
  }

  chunk(bytes: Buffer): Promise<void> | undefined {
    this.#decoder.push(bytes);
    // A connection that the other side closes hands over what it still holds, even while it is paused.
    return this.#delivery ?? this.#deliver();
  }

  end(): Promise<void> | undefined {
    if (this.#delivery !== undefined) return this.#delivery.then(() => this.end());
    const last = framed(() => this.#decoder.finish());
    return last === undefined ? undefined : this.#sink(openEnvelope(last, 'read'));
  }

  #deliver(): Promise<void> | undefined {
    for (;;) {
      const text = framed(() => this.#decoder.next());
      if (text === undefined) return undefined;
      const wait = this.#sink(openEnvelope(text, 'read'));
      if (wait !== undefined) {
        this.#delivery = this.#continueAfter(wait);
        return this.#delivery;
      }
    }
  }

  async #continueAfter(first: Promise<void>): Promise<void> {
    for (let wait: Promise<void> | undefined = first; wait !== undefined; ) {
      await wait;
      const text = framed(() => this.#decoder.next());
      wait = text === undefined ? undefined : (this.#sink(openEnvelope(text, 'read')) ?? Promise.resolve());
    }
    this.#delivery = undefined;
  }
}

function framed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new DifyError('read', error.message, {
      cause: error,
      ...(error.remedy !== undefined && { remedy: error.remedy }),
    });
  }
}
