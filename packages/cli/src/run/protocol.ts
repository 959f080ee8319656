/** The line protocol of `plugin run`: messages out, one writer per client with back pressure, lines in (docs/wire/cli.md#messages-out). */
import type { Readable, Writable } from 'node:stream';

export type MessageType = 'info' | 'error' | 'plugin_response' | 'plugin_ready' | 'plugin_invoke_end';
export type Format = 'json' | 'text';

/** Line limit for requests. */
export const MAX_LINE = 15 * 1024 * 1024;

/** Writes whole lines in order; `write` resolves when the client took them. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #format: Format;
  #tail: Promise<void> = Promise.resolve();
  #gone = false;

  constructor(stream: Writable, format: Format) {
    this.#stream = stream;
    this.#format = format;
    stream.on('error', () => {
      this.#gone = true;
    });
  }

  /** @param response JSON text of the `response` object */
  raw(invokeId: string, type: MessageType, response: string): Promise<void> {
    const line =
      this.#format === 'json'
        ? `{"invoke_id":${JSON.stringify(invokeId)},"type":"${type}","response":${response}}\n`
        : `[${type}]${invokeId === '' ? '' : ` ${invokeId}`} ${response}\n`;
    this.#tail = this.#tail.then(() => this.#push(line));
    return this.#tail;
  }

  send(invokeId: string, type: MessageType, response: Record<string, unknown>): Promise<void> {
    return this.raw(invokeId, type, JSON.stringify(sorted(response)));
  }

  #push(line: string): Promise<void> {
    if (this.#gone || this.#stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.write(line, () => resolve());
    });
  }

  /** Resolves when everything written so far was taken. */
  flushed(): Promise<void> {
    return this.#tail;
  }
}

function sorted(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The lines of a stream, split at LF alone. A line over the limit is given as undefined, and reading goes on. */
export async function* linesOf(stream: Readable, limit = MAX_LINE): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  let skipping = false;
  for await (const chunk of stream) {
    let bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      const piece = bytes.subarray(0, end);
      bytes = bytes.subarray(end + 1);
      if (!skipping && length + piece.length <= limit)
        yield Buffer.concat([...parts, piece])
          .toString('utf8')
          .replace(/\r$/, '');
      else if (!skipping) yield undefined;
      parts = [];
      length = 0;
      skipping = false;
    }
    if (skipping) continue;
    length += bytes.length;
    if (length > limit) {
      skipping = true;
      parts = [];
      yield undefined;
    } else parts.push(bytes);
  }
  if (!skipping && length > 0) yield Buffer.concat(parts).toString('utf8').replace(/\r$/, '');
}
