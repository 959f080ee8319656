/** A line into which blanks were put before it could be parsed. */
export interface Repair {
  /** counted from 1 */
  readonly line: number;
  readonly blanks: number;
}

export interface Position {
  /** counted from 1 */
  readonly line: number;
  /** counted from 1, in UTF-16 units */
  readonly column: number;
}

/** Turns offsets of the parsed text into places of the file as its author sees it. The line table is made when first needed. */
export class Positions {
  readonly #text: string;
  readonly #repairs: readonly Repair[];
  #lineStarts: number[] | undefined;

  constructor(text: string, repairs: readonly Repair[]) {
    this.#text = text;
    this.#repairs = repairs;
  }

  of(offset: number): Position {
    this.#lineStarts ??= lineStarts(this.#text);
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const line = low + 1;
    const added = this.#repairs.reduce((sum, repair) => (repair.line === line ? sum + repair.blanks : sum), 0);
    return { line, column: Math.max(0, offset - (this.#lineStarts[low] ?? 0) - added) + 1 };
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || (code === 13 && text.charCodeAt(i + 1) !== 10)) starts.push(i + 1);
  }
  return starts;
}
