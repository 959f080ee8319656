import type { IncomingMessage } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/** Bodies up to here are read before they go on: then another node can be asked, or this one can do it. */
const KEPT_BYTES = 256 * 1024;

/** The body of a request that goes to another node. Nothing of it is parsed, and until a node has taken the call nothing of it is lost. */
export class ForwardBody {
  readonly #request: IncomingMessage;
  readonly #whole: Buffer | undefined;
  #flows = false;
  /** Of a long body, what goes ahead of it: read once, whoever is asked. */
  #reading: Promise<Buffer | undefined> | undefined;
  #first: Buffer | undefined;

  private constructor(request: IncomingMessage, whole: Buffer | undefined) {
    this.#request = request;
    this.#whole = whole;
  }

  /** @throws DaemonError `bad-request` when the client breaks off */
  static async of(request: IncomingMessage): Promise<ForwardBody> {
    const { headers } = request;
    if (headers['transfer-encoding'] !== undefined) return new ForwardBody(request, undefined);
    const length = Number(headers['content-length'] ?? 0);
    if (length === 0) return new ForwardBody(request, Buffer.alloc(0));
    if (!(length <= KEPT_BYTES)) return new ForwardBody(request, undefined);
    const whole = await readExactly(request, length);
    if (whole === undefined) throw new DaemonError('bad-request', 'the client broke the request off');
    return new ForwardBody(request, whole);
  }

  /** It is long: sent when the other node has said that it takes it. */
  get isLong(): boolean {
    return this.#whole === undefined;
  }

  /** In bytes; undefined if it is not known. */
  get length(): number | undefined {
    if (this.#whole !== undefined) return this.#whole.length;
    const length = this.#request.headers['content-length'];
    return length === undefined ? undefined : Number(length);
  }

  /** It has begun to flow: what was read of it is gone. */
  get flows(): boolean {
    return this.#flows;
  }

  /** @param sign nothing flows before it, and nothing at all if it says no; a body that is kept does not wait */
  content(sign: Promise<boolean>): Buffer | null | AsyncIterable<Uint8Array> {
    if (this.#whole !== undefined) return this.#whole.length === 0 ? null : this.#whole;
    return this.#flow(sign);
  }

  /** It is with the other node: the request comes to its end. */
  finish(): void {
    this.#request.resume();
  }

  /** Puts back what was read: the request can be read by whoever does the work here. */
  restore(): void {
    const read = this.#whole ?? this.#first;
    if (read !== undefined && read.length > 0) this.#request.unshift(read);
  }

  /** The head of the request is only sent with something behind it: one byte goes ahead, and stays here too. */
  async *#flow(sign: Promise<boolean>): AsyncGenerator<Uint8Array> {
    this.#reading ??= readExactly(this.#request, 1);
    this.#first = await this.#reading;
    if (this.#first !== undefined) yield this.#first;
    if (!(await sign)) return;
    this.#flows = true;
    // The connection stays when the reading ends early: the client still has to be answered on it.
    yield* this.#request.iterator({ destroyOnReturn: false });
  }
}

/**
 * Reads exactly so many bytes. A stream that is read so far and not further does not tell its end, so that the bytes can be put back, and
 * whoever comes then reads it as if nobody had.
 * @returns undefined when there are not so many
 */
function readExactly(request: IncomingMessage, length: number): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const settle = (read: Buffer | undefined): void => {
    request.off('readable', onReadable).off('end', onOver).off('close', onOver).off('error', onOver);
    resolve(read);
  };
  const onReadable = (): void => {
    const read: unknown = request.read(length);
    if (Buffer.isBuffer(read)) settle(read);
  };
  const onOver = (): void => settle(undefined);
  if (request.destroyed || request.readableEnded) onOver();
  else request.on('end', onOver).on('close', onOver).on('error', onOver).on('readable', onReadable);
  return promise;
}
