/** One mention of another module in a source file. */
export interface Import {
  /** What stands between the quotes. */
  readonly specifier: string;
  readonly line: number;
  /** True if nothing of it is there when the program runs. */
  readonly typeOnly: boolean;
  /** True for `import()`, which is done when it is reached, not when the file is loaded. */
  readonly dynamic: boolean;
}

/**
 * `import …` and `export … from` in the first column, where the formatter puts them. Between the keyword and the quote there can
 * only be names, braces, commas and `*`, so that a match neither begins in a text nor runs over the end of a statement.
 */
const STATIC = /^(?:import|export)(?: (type))?(?=[\s{*'])(?:[\w$\s{},*]*?\sfrom)?\s*'([^'\n]+)'/gm;

/** `import('…')`, as an expression and as a type. */
const DYNAMIC = /(typeof )?\bimport\(\s*'([^'\n]+)'/g;

const COMMENT = /^\s*(?:\/\/|\/?\*)/;

/**
 * The imports of a TypeScript file, in the order of the file. It relies on the formatter's form (single quotes, statements in the first
 * column), which is checked beside it; TypeScript's own scanner cannot be used, since its native compiler has no interface for programs.
 */
export function importsOf(source: string): Import[] {
  const lines = new LineNumbers(source);
  const found: (Import & { at: number })[] = [];
  for (const match of source.matchAll(STATIC)) {
    const [, type, specifier = ''] = match;
    found.push({
      specifier,
      line: lines.of(match.index),
      typeOnly: type !== undefined,
      dynamic: false,
      at: match.index,
    });
  }
  for (const match of source.matchAll(DYNAMIC)) {
    const [, type, specifier = ''] = match;
    if (COMMENT.test(lines.textAt(match.index))) continue;
    found.push({
      specifier,
      line: lines.of(match.index),
      typeOnly: type !== undefined,
      dynamic: true,
      at: match.index,
    });
  }
  return found.sort((a, b) => a.at - b.at).map(({ at: _, ...rest }) => rest);
}

/** Offsets in a text to line numbers, counted from 1. */
export class LineNumbers {
  readonly #source: string;
  readonly #starts: number[] = [0];

  constructor(source: string) {
    this.#source = source;
    for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  of(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  /** The line that an offset is on. */
  textAt(offset: number): string {
    const line = this.of(offset);
    return this.#source.slice(this.#starts[line - 1], this.#starts[line] ?? this.#source.length);
  }
}
