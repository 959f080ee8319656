/** Splits a byte stream into lines and keeps its end, for messages about a process that died. */
import { StringDecoder } from 'node:string_decoder';

const KEPT_CHARACTERS = 16 * 1024;

export class StderrTail {
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #kept = '';

  /** @returns the lines these bytes complete */
  push(chunk: Buffer): string[] {
    const text = this.#decoder.write(chunk);
    this.#kept = (this.#kept + text).slice(-KEPT_CHARACTERS);
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    return lines.map((line) => line.trimEnd());
  }

  get text(): string {
    return this.#kept;
  }
}
