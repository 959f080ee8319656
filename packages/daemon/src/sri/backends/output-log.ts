import { StringDecoder } from 'node:string_decoder';
import type { Log } from '../../telemetry/index.ts';

const TAIL_CHARACTERS = 4096;
const LINE_CHARACTERS = 4096;
/** What one instance may write into the log within a window; the rest is counted. */
const LINES_PER_WINDOW = 200;
const WINDOW_MS = 10_000;

/** What an instance writes to stdout and stderr: into the log within limits, and the last of it kept, as it explains an end. */
export class OutputLog {
  readonly #log: Log;
  readonly #fields: object;
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  readonly #rests = { stdout: '', stderr: '' };
  #tail = '';
  #written = 0;
  #dropped = 0;
  #windowEnds = 0;

  constructor(log: Log, fields: object) {
    this.#log = log;
    this.#fields = fields;
  }

  push(source: 'stdout' | 'stderr', bytes: Buffer): void {
    const lines = (this.#rests[source] + this.#decoders[source].write(bytes)).split('\n');
    this.#rests[source] = (lines.pop() ?? '').slice(-LINE_CHARACTERS);
    for (const line of lines) {
      if (!/\S/.test(line)) continue;
      if (source === 'stderr') this.#tail = `${this.#tail}${line.slice(-TAIL_CHARACTERS)}\n`.slice(-TAIL_CHARACTERS);
      this.#write(source, line.slice(0, LINE_CHARACTERS));
    }
  }

  /** The last of stderr, without the final line end; '' if there was none. */
  get lastWords(): string {
    return `${this.#tail}${this.#rests.stderr}`.trim();
  }

  #write(source: string, line: string): void {
    const now = Date.now();
    if (now >= this.#windowEnds) {
      if (this.#dropped > 0)
        this.#log.warn({ ...this.#fields, lines: this.#dropped }, 'a function writes too much: lines were left out');
      this.#windowEnds = now + WINDOW_MS;
      this.#written = 0;
      this.#dropped = 0;
    }
    if (this.#written >= LINES_PER_WINDOW) this.#dropped++;
    else {
      this.#written++;
      this.#log.info({ ...this.#fields, source }, line);
    }
  }
}

/** How an instance ended, with its last words where it left some. */
export const withLastWords = (text: string, lastWords: string): string =>
  lastWords === '' ? text : `${text}; its last words: ${lastWords}`;
