/** Splits bytes into lines at 0x0A. Only new bytes are searched, and a line's pieces are joined once, when its end has come. */
export class LineSplitter {
  #input: Buffer = Buffer.alloc(0);
  #begun: Buffer[] = [];
  #begunBytes = 0;

  /** Bytes of the line that has begun and not ended, as far as they have been looked at. */
  get begunBytes(): number {
    return this.#begunBytes;
  }

  push(bytes: Buffer): void {
    this.#input = this.#input.length === 0 ? bytes : Buffer.concat([this.#input, bytes]);
  }

  /** The next whole line without its end; undefined until more comes. */
  next(): Buffer | undefined {
    const end = this.#input.indexOf(0x0a);
    if (end < 0) {
      if (this.#input.length > 0) this.#keep(this.#input);
      this.#input = Buffer.alloc(0);
      return undefined;
    }
    const tail = this.#input.subarray(0, end);
    this.#input = this.#input.subarray(end + 1);
    if (this.#begun.length === 0) return tail;
    this.#keep(tail);
    return this.#takeBegun();
  }

  /** Everything that was not handed out as a line; nothing is left afterwards. */
  rest(): Buffer {
    this.#keep(this.#input);
    this.#input = Buffer.alloc(0);
    return this.#takeBegun();
  }

  #keep(piece: Buffer): void {
    this.#begun.push(piece);
    this.#begunBytes += piece.length;
  }

  #takeBegun(): Buffer {
    const line = Buffer.concat(this.#begun, this.#begunBytes);
    this.#begun = [];
    this.#begunBytes = 0;
    return line;
  }
}
