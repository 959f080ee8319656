import { StringDecoder } from 'node:string_decoder';
import { IgnoredExceptions } from '../../python-output.ts';

/** The last lines a process wrote to stderr: what explains its death. */

const MAX_CHARACTERS = 4096;

export class StderrTail {
  /** Reads may cut a character in two. */
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #tail = '';
  readonly #ignored = new IgnoredExceptions();
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-MAX_CHARACTERS);
    for (const line of lines) this.#add(line);
  }

  #add(line: string): void {
    if (line.trim() === '') return;
    if (this.#ignored.keeps(line)) this.#tail = `${this.#tail}${line}\n`.slice(-MAX_CHARACTERS);
    this.#onLine(line.slice(0, MAX_CHARACTERS));
  }

  /** What was written last, without the final line end; '' if nothing was. */
  get text(): string {
    return `${this.#tail}${this.#rest}`.trim();
  }
}
