import type { ServerResponse } from 'node:http';
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { Line } from '@plugin-daemon/plugin-host/runtimes';
import { escapeLineEnds } from '@plugin-daemon/plugin-host/text';

/** A blank line this often tells everybody on the way that the answer still comes, in ms. */
const KEEP_ALIVE_MS = 25_000;
/** Most characters that wait for what else comes in one turn of the event loop. */
const MOST_TOGETHER = 64 * 1024;

/** What was sent last is waited for so long that somebody fetches it, in ms. */
const LINGER_MS = 30_000;

export interface LineAnswerOptions {
  readonly acceptsGzip: boolean;
  /** Nobody waits for a slow reader any more when it is aborted. */
  readonly signal: AbortSignal;
  /** Default 25,000. */
  readonly keepAliveMs?: number | undefined;
  /** Default 30,000. */
  readonly lingerMs?: number | undefined;
}

/**
 * Lines for a function, each followed by an empty one and compressed where it takes that. What is said in one turn of the event loop goes
 * out together: functions leave when they have their answer, and would often miss the end that is said right after it.
 */
export class LineAnswer {
  readonly #response: ServerResponse;
  readonly #gzip: Gzip | undefined;
  readonly #alive: NodeJS.Timeout;
  #together = '';
  #leaving: NodeJS.Immediate | undefined;
  readonly #signal: AbortSignal;
  readonly #lingerMs: number;
  #begun = false;
  #ended = false;

  constructor(response: ServerResponse, options: LineAnswerOptions) {
    const { acceptsGzip, signal, keepAliveMs = KEEP_ALIVE_MS, lingerMs = LINGER_MS } = options;
    this.#response = response;
    this.#signal = signal;
    this.#lingerMs = lingerMs;
    if (acceptsGzip) {
      this.#gzip = createGzip();
      // Ends with the response, whatever becomes of that.
      this.#gzip.on('error', () => response.destroy());
    }
    this.#alive = setInterval(() => void this.#write('\n\n'), keepAliveMs);
    response.once('close', () => {
      this.#forget();
      this.#gzip?.destroy();
    });
  }

  /** @returns a promise while the function reads slower than it is written to; it never rejects */
  send(line: Line): Promise<void> | undefined {
    const text = typeof line === 'string' ? line : line.map(String).join('');
    return this.#write(`${escapeLineEnds(text)}\n\n`);
  }

  /** Nothing is sent afterwards; without anything before, the answer is empty. */
  end(): void {
    if (this.#ended) return;
    void this.#flush();
    this.#ended = true;
    this.#forget();
    this.#begin();
    if (this.#gzip === undefined) this.#response.end();
    else this.#gzip.end();
    // Else a function that does not read keeps its answer in our memory for as long as it lives.
    const linger = setTimeout(() => this.#response.destroy(), this.#lingerMs).unref();
    this.#response.once('close', () => clearTimeout(linger));
  }

  /** Nothing was sent, and nothing is: somebody else answers. */
  abandon(): void {
    this.#ended = true;
    this.#forget();
    this.#gzip?.destroy();
  }

  #forget(): void {
    clearInterval(this.#alive);
    clearImmediate(this.#leaving);
    this.#together = '';
  }

  #begin(): void {
    if (this.#begun || this.#response.destroyed) return;
    this.#begun = true;
    const headers = { 'Content-Type': 'text/event-stream' };
    if (this.#gzip === undefined) this.#response.writeHead(200, headers);
    else {
      this.#response.writeHead(200, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
      this.#gzip.pipe(this.#response);
    }
  }

  #write(text: string): Promise<void> | undefined {
    if (this.#ended || this.#response.destroyed) return undefined;
    this.#together += text;
    if (this.#together.length >= MOST_TOGETHER) return this.#flush();
    this.#leaving ??= setImmediate(() => void this.#flush());
    const stream = this.#gzip ?? this.#response;
    return stream.writableNeedDrain ? this.#drained(stream) : undefined;
  }

  #flush(): Promise<void> | undefined {
    clearImmediate(this.#leaving);
    this.#leaving = undefined;
    const text = this.#together;
    this.#together = '';
    if (text === '' || this.#response.destroyed) return undefined;
    this.#begin();
    const stream = this.#gzip ?? this.#response;
    const wait = stream.write(text) ? undefined : this.#drained(stream);
    // Else the plugin sees nothing until the end.
    this.#gzip?.flush(constants.Z_SYNC_FLUSH);
    return wait;
  }

  #drained(stream: Gzip | ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        this.#response.off('close', done);
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      if (this.#signal.aborted) return resolve();
      this.#signal.addEventListener('abort', done);
      stream.once('drain', done);
      this.#response.once('close', done);
    });
  }
}

export const acceptsGzip = (header: string | string[] | undefined): boolean => {
  const entry = String(header ?? '')
    .split(',', 32)
    .map((one) => one.trim().toLowerCase())
    .find((one) => one === 'gzip' || one.startsWith('gzip;'));
  return entry !== undefined && !/;\s*q=0(\.0+)?$/.test(entry);
};
