import { DaemonError } from '../errors/index.ts';

export type DatabaseFailure =
  /** The file or the server's storage is full. */
  | 'full'
  /** Writing is not permitted. */
  | 'read-only'
  /** The file cannot be opened, the server not be reached. */
  | 'unreachable'
  /** The stored bytes are not a database any more, or never were. */
  | 'corrupt'
  /** Somebody else holds a lock for too long. */
  | 'busy'
  /** A row with this key exists. */
  | 'duplicate'
  | 'other';

/** The database could not do what was asked; nothing of the transaction was kept. */
export class DatabaseError extends DaemonError {
  readonly failure: DatabaseFailure;

  constructor(
    failure: DatabaseFailure,
    message: string,
    options: { readonly cause: unknown; readonly remedy?: string },
  ) {
    super('internal', message, options);
    this.failure = failure;
  }
}
