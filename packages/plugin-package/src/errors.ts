/** What a problem is, for programs; its message is for people. */
export type ProblemDetail =
  /** A value of another type than the field's: `found` is the tag of the YAML value without its marks, `wanted` a kind of the tables. */
  | { readonly tag: 'type'; readonly found: string; readonly value?: string; readonly wanted: string }
  | { readonly tag: 'duplicate-key'; readonly key: string }
  | { readonly tag: 'unknown-template'; readonly name: string }
  /** What was kept is not what was put away. */
  | { readonly tag: 'damaged' }
  | { readonly tag: 'missing-file'; readonly name: string }
  /** Categories that may not stand in one plugin, or none at all. */
  | { readonly tag: 'combination' }
  | { readonly tag: 'syntax'; readonly reason: string };

/** One finding in a file of a package; line and column count from 1, 0 = unknown. */
export interface Problem {
  readonly message: string;
  readonly detail?: ProblemDetail | undefined;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface PackageErrorDetails {
  readonly cause?: unknown;
  readonly detail?: ProblemDetail | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly problems?: readonly Problem[] | undefined;
  /** What to do about it, where the message alone does not say. */
  readonly remedy?: string | undefined;
}

/** Messages quote what a package says, and a package may say megabytes: of a longer one the beginning and the end are left. */
export const MAX_MESSAGE_LENGTH = 8192;
const END_LENGTH = 1024;

function bounded(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const begin = message.slice(0, MAX_MESSAGE_LENGTH - END_LENGTH - 1).toWellFormed();
  return `${begin}…${message.slice(-END_LENGTH).toWellFormed()}`;
}

/**
 * The only error this package throws for bad input. `message` is the text that clients see (docs/wire/packages.md#error-texts);
 * file, line and column name the place where they are known, counted from 1.
 */
export class PackageError extends Error {
  override readonly name = 'PackageError';
  readonly detail: ProblemDetail | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly problems: readonly Problem[];
  readonly remedy: string | undefined;

  constructor(message: string, details: PackageErrorDetails = {}) {
    super(bounded(message), details.cause === undefined ? {} : { cause: details.cause });
    this.detail = details.detail;
    this.file = details.file;
    this.line = details.line;
    this.column = details.column;
    this.problems = details.problems ?? [];
    this.remedy = details.remedy;
  }

  /** The same error with one more line of context below its message, the way nested errors are joined on the wire. */
  joined(context: string): PackageError {
    return new PackageError(`${this.message}\n${context}`, this);
  }
}

/** A file that a package or a bundle does not have. */
export const missingFile = (name: string): PackageError =>
  new PackageError(`open ${name}: file does not exist`, { detail: { tag: 'missing-file', name } });
