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
    const kept: string[] = [];
    for (const line of lines) {
      if (!/\S/.test(line)) continue;
      if (this.#ignored.keeps(line)) kept.push(line.slice(-MAX_CHARACTERS));
      this.#onLine(line.slice(0, MAX_CHARACTERS));
    }
    // Joined once for what came together: a plugin may write a hundred thousand lines at a time.
    if (kept.length > 0) this.#tail = `${this.#tail}${kept.slice(-MAX_CHARACTERS).join('\n')}\n`.slice(-MAX_CHARACTERS);
  }

  /** What was written last, without the final line end; '' if nothing was. */
  get text(): string {
    return `${this.#tail}${this.#rest}`.trim();
  }
}
