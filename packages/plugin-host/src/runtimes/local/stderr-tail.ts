import { StringDecoder } from 'node:string_decoder';
import { IgnoredExceptions } from '../../python-output.ts';

/** Of a line, and of what is kept at the end. */
const MAX_CHARACTERS = 4096;

/** Splits what a process writes beside the protocol into lines, and keeps the last of them: what explains its death. */
export class StderrTail {
  /** Reads may cut a character in two. */
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #tail = '';
  readonly #ignored = new IgnoredExceptions();
  readonly #onLine: (line: string) => void;
  readonly #most: number;

  constructor(onLine: (line: string) => void, maxCharacters = MAX_CHARACTERS) {
    this.#onLine = onLine;
    this.#most = maxCharacters;
  }

  push(bytes: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-this.#most);
    const kept: string[] = [];
    for (const line of lines) {
      if (!/\S/.test(line)) continue;
      if (this.#ignored.keeps(line)) kept.push(line.slice(-this.#most));
      this.#onLine(line.slice(0, this.#most));
    }
    // Joined once for what came together: a plugin may write a hundred thousand lines at a time.
    if (kept.length > 0) this.#tail = `${this.#tail}${kept.slice(-this.#most).join('\n')}\n`.slice(-this.#most);
  }

  /** What was written last, without the final line end; '' if nothing was. */
  get text(): string {
    return `${this.#tail}${this.#rest}`.trim();
  }
}
