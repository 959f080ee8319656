import type { ServerResponse } from 'node:http';
import { constants, createGzip, type Gzip } from 'node:zlib';
import type { Line } from '@plugin-daemon/plugin-host/runtimes';
import { escapeLineEnds } from '@plugin-daemon/plugin-host/text';

/** A blank line this often tells everybody on the way that the answer still comes, in ms. */
const KEEP_ALIVE_MS = 25_000;

/** Lines for a function, each followed by an empty one and sent at once, compressed where it takes that. */
export class LineAnswer {
  readonly #response: ServerResponse;
  readonly #gzip: Gzip | undefined;
  readonly #alive: NodeJS.Timeout;
  #begun = false;
  #ended = false;

  constructor(response: ServerResponse, acceptsGzip: boolean, keepAliveMs = KEEP_ALIVE_MS) {
    this.#response = response;
    if (acceptsGzip) {
      this.#gzip = createGzip();
      // Ends with the response, whatever becomes of that.
      this.#gzip.on('error', () => response.destroy());
    }
    this.#alive = setInterval(() => void this.#write('\n\n'), keepAliveMs);
    response.once('close', () => {
      clearInterval(this.#alive);
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
    this.#ended = true;
    clearInterval(this.#alive);
    this.#begin();
    if (this.#gzip === undefined) this.#response.end();
    else this.#gzip.end();
  }

  /** Nothing was sent, and nothing is: somebody else answers. */
  abandon(): void {
    this.#ended = true;
    clearInterval(this.#alive);
    this.#gzip?.destroy();
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
    const response = this.#response;
    if (this.#ended || response.destroyed) return undefined;
    this.#begin();
    const gzip = this.#gzip;
    if (gzip === undefined) return response.write(text) ? undefined : this.#drained(response);
    const wait = gzip.write(text) ? undefined : this.#drained(gzip);
    // Else the plugin sees nothing until the end.
    gzip.flush(constants.Z_SYNC_FLUSH);
    return wait;
  }

  #drained(stream: Gzip | ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        this.#response.off('close', done);
        resolve();
      };
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
