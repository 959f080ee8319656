/** One finding in a file of a package; line and column count from 1, 0 = unknown. */
export interface Problem {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface PackageErrorDetails {
  readonly cause?: unknown;
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
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly problems: readonly Problem[];
  readonly remedy: string | undefined;

  constructor(message: string, details: PackageErrorDetails = {}) {
    super(bounded(message), details.cause === undefined ? {} : { cause: details.cause });
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
