import type { Exceeded, Room } from '../../budget/index.ts';

/** Pieces that are joined before they are kept: a plugin that writes a byte at a time must not cost a text for each. */
const MANY_PIECES = 1024;

/** Why a line is not read further. */
export type LineLimit = { readonly by: 'message' } | { readonly by: 'budget'; readonly exceeded: Exceeded };

/** The begun line of a plugin, in the pieces in which it was read: joined once, when its end arrives. */
export class UnfinishedLine {
  readonly #maxBytes: number;
  /** What the lines of all plugins may hold; absent where there is but one plugin. */
  readonly #room: Room | undefined;
  #pieces: string[] = [];
  #small: string[] = [];
  #bytes = 0;
  #isPlain = true;

  constructor(maxBytes: number, room: Room | undefined) {
    this.#maxBytes = maxBytes;
    this.#room = room;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all of its pieces are. */
  get isPlain(): boolean {
    return this.#isPlain;
  }

  /**
   * @param plain what was found out about the read of which it is a piece: nothing in it has to be made safe for readers
   * @returns why the line has become too long; then it is to be cleared
   */
  add(piece: string, plain: boolean): LineLimit | undefined {
    this.#isPlain &&= plain;
    this.#small.push(piece);
    this.#bytes += piece.length;
    if (this.#small.length >= MANY_PIECES) this.#join();
    if (this.#bytes > this.#maxBytes) return { by: 'message' };
    const exceeded = this.#room?.grow(piece.length);
    return exceeded && { by: 'budget', exceeded };
  }

  /** The whole line; nothing is kept afterwards. */
  take(): string {
    this.#join();
    const line = this.#pieces.length === 1 ? (this.#pieces[0] ?? '') : this.#pieces.join('');
    this.clear();
    return line;
  }

  /** The first characters, at least `length` where there are so many. */
  head(length: number): string {
    let head = '';
    for (const piece of [...this.#pieces, ...this.#small]) {
      head += piece.slice(0, length);
      if (head.length >= length) break;
    }
    return head;
  }

  clear(): void {
    this.#pieces = [];
    this.#small = [];
    this.#bytes = 0;
    this.#isPlain = true;
    this.#room?.release();
  }

  #join(): void {
    if (this.#small.length === 0) return;
    this.#pieces.push(this.#small.join(''));
    this.#small = [];
  }
}
