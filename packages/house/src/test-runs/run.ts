/** One run of vitest. */
export interface Run {
  readonly files: readonly RunFile[];
  /** Errors that belong to no file. */
  readonly errors: readonly string[];
}

export interface RunFile {
  /** From the root of the tests, as vitest takes it. */
  readonly path: string;
  readonly seconds: number;
  readonly passed: readonly string[];
  readonly failed: readonly RunFailure[];
}

/** A test, or a suite or the file itself when something around the tests failed. */
export interface RunFailure {
  readonly name: string;
  readonly errors: readonly string[];
}

/** Names of what is no test. */
export const AROUND = { file: 'the file itself', stray: 'an error that no test waited for' };

const MOST_LINES = 15;
const MOST_COLUMNS = 300;

/** The first lines of a text, of bounded width, without colours. */
export function lines(text: string, most = MOST_LINES): readonly string[] {
  return withoutColours(text.slice(0, most * 4 * MOST_COLUMNS))
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, most)
    .map((line) => line.slice(0, MOST_COLUMNS));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the character that begins a colour.
const withoutColours = (text: string): string => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '');
