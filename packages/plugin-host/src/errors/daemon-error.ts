import { messageOf } from '@plugin-daemon/values';
import { type ErrorKind, errorKinds, type KindSpec } from './catalogue.ts';

export interface DaemonErrorOptions {
  readonly cause?: unknown;
  /** What to do about it: a setting, a limit, a command. Appended to the message on the wire. */
  readonly remedy?: string;
  /** `args` of the wire message; null unless given. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** Overrides the HTTP status of the kind where a route's contract says so. */
  readonly status?: number;
  /** When to try again, in seconds, where it is known better than the catalogue knows it; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** An error of the catalogue. `message` is what happened; `wireMessage` adds the remedy. */
export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly kind: ErrorKind;
  readonly remedy: string | undefined;
  readonly args: Readonly<Record<string, unknown>> | null;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, message: string, options: DaemonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.remedy = options.remedy;
    this.args = options.args ?? null;
    this.status = options.status ?? errorKinds[kind].status;
    const spec: KindSpec = errorKinds[kind];
    this.retryAfterSeconds = options.retryAfterSeconds ?? spec.retryAfterSeconds;
  }

  get code(): number {
    return errorKinds[this.kind].code;
  }

  get type(): string {
    return errorKinds[this.kind].type;
  }

  get wireMessage(): string {
    return this.remedy === undefined ? this.message : `${this.message}. ${this.remedy}`;
  }
}

/** Any thrown value as an error of the catalogue; what is not one already becomes `internal` with its text. */
export function toDaemonError(error: unknown): DaemonError {
  if (error instanceof DaemonError) return error;
  return new DaemonError('internal', messageOf(error), { cause: error });
}

/**
 * Whether somebody has to look into it: an error that nobody threw on purpose, or one that passes such a one on. What the daemon
 * answers deliberately, such as "record not found", is no fault, whatever its kind.
 */
export function isFault(error: unknown): boolean {
  for (let at = error, depth = 0; depth < 10; depth++) {
    if (!(at instanceof DaemonError)) return true;
    if (at.cause === undefined) return false;
    at = at.cause;
  }
  return true;
}
