import { StringDecoder } from 'node:string_decoder';

/** A longer line is cut: nothing that explains anything is longer, and what is not cut is kept and searched. */
export const MAX_LINE_CHARACTERS = 4096;
/** What is kept of one stream for messages. */
const TAIL_CHARACTERS = 64 * 1024;
const CUT = ' … (line cut)';

/** The output of one stream of a command as lines of bounded length, and its end. Memory is bounded whatever comes. */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  /** The line under way is over its limit: nothing more of it is kept. */
  #over = false;
  readonly #tail: string[] = [];
  #tailLength = 0;

  /** The lines that this piece has completed. */
  push(bytes: Buffer): string[] {
    const pieces = this.#decoder.write(bytes).split('\n');
    const last = pieces.pop() ?? '';
    const lines = pieces.map((piece) => {
      this.#add(piece);
      return this.#take();
    });
    this.#add(last);
    return lines;
  }

  /** The last line when it has no newline. */
  end(): string | undefined {
    this.#add(this.#decoder.end());
    return this.#line === '' ? undefined : this.#take();
  }

  /** The last lines, cut like all. */
  get tail(): string {
    return `${[...this.#tail, this.#line].join('\n')}`.slice(-TAIL_CHARACTERS);
  }

  #add(piece: string): void {
    if (this.#over || piece === '') return;
    const room = MAX_LINE_CHARACTERS - this.#line.length;
    if (piece.length <= room) {
      this.#line += piece;
      return;
    }
    this.#line += piece.slice(0, room) + CUT;
    this.#over = true;
  }

  #take(): string {
    const line = this.#line.trimEnd();
    this.#line = '';
    this.#over = false;
    this.#tail.push(line);
    this.#tailLength += line.length + 1;
    if (this.#tailLength > 2 * TAIL_CHARACTERS) this.#shorten();
    return line;
  }

  #shorten(): void {
    let dropped = 0;
    while (this.#tailLength > TAIL_CHARACTERS) this.#tailLength -= (this.#tail[dropped++]?.length ?? 0) + 1;
    this.#tail.splice(0, dropped);
  }
}
