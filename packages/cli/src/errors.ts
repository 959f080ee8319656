/**
 * Why a command ended without its result. Every failure a user can see is one of these: a code for scripts, a sentence
 * for people and, where there is one, the remedy. The exit codes: docs/wire/cli.md#exit-codes.
 */
import { messageOf } from '@plugin-daemon/values';
export const EXIT = { ok: 0, failed: 1, usage: 2, findings: 3, interrupted: 130 } as const;

export interface CliErrorOptions {
  /** Process exit code; 1 unless said otherwise. */
  exit?: number;
  /** What to do about it: a command, a flag or a setting. */
  remedy?: string;
  /** The file the problem is in, relative to where the user stands. */
  file?: string;
  line?: number;
  cause?: unknown;
  /** Pairs for the log line on stderr. */
  fields?: Record<string, string | number | boolean>;
}

export class CliError extends Error {
  readonly code: string;
  readonly exit: number;
  readonly remedy: string | undefined;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly fields: Record<string, string | number | boolean>;

  constructor(code: string, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CliError';
    this.code = code;
    this.exit = options.exit ?? EXIT.failed;
    this.remedy = options.remedy;
    this.file = options.file;
    this.line = options.line;
    this.fields = options.fields ?? {};
  }
}

/** A mistake in the command line itself: exit code 2. */
export function usageError(message: string, remedy?: string): CliError {
  return new CliError('usage', message, remedy === undefined ? { exit: EXIT.usage } : { exit: EXIT.usage, remedy });
}

/** Ctrl-C or a termination signal: nothing is wrong, nothing was finished. */
export function interrupted(): CliError {
  return new CliError('interrupted', 'interrupted', { exit: EXIT.interrupted });
}

/** Throws `interrupted` when the signal has fired; called between steps that leave something behind. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

const SYSTEM_TEXT: Record<string, string> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the file name is too long',
  EEXIST: 'it exists already',
};

export function systemCode(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return undefined;
}

/** Any thrown value as a CliError, with the file named for errors of the operating system. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof Error && error.name === 'AbortError') return interrupted();
  const code = systemCode(error);
  if (error instanceof Error && code !== undefined && SYSTEM_TEXT[code] !== undefined) {
    const file = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
    const text = SYSTEM_TEXT[code];
    const options: CliErrorOptions = { cause: error };
    if (file !== undefined) options.file = file;
    return new CliError(code.toLowerCase(), file === undefined ? text : `${file}: ${text}`, options);
  }
  const message = messageOf(error);
  return new CliError('failed', message, { cause: error });
}
