import { DaemonError } from '@plugin-daemon/plugin-host/errors';

export type DatabaseFailure =
  /** The file or the server's storage is full. */
  | 'full'
  /** Writing is not permitted. */
  | 'read-only'
  /** The file cannot be opened, the server not be reached; or not yet, or not in time. */
  | 'unreachable'
  /** The connection broke while it was used; nothing of the transaction was kept. */
  | 'lost'
  /** The connection broke during a commit: whether it was kept is not known. */
  | 'uncertain'
  /** The server does not let this user in, or not to this database. */
  | 'denied'
  /** TLS is wanted, and the server offers none. */
  | 'plain-only'
  /** There is no such database on the server. */
  | 'absent'
  /** The stored bytes are not a database any more, or never were. */
  | 'corrupt'
  /** Somebody else holds a lock for too long. */
  | 'busy'
  /** A deadlock or another conflict with somebody else's transaction. */
  | 'conflict'
  /** A row with this key exists. */
  | 'duplicate'
  /** A value does not fit its column. */
  | 'unfit'
  | 'other';

/** The database could not do what was asked; unless `failure` is `uncertain`, nothing of the transaction was kept. */
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
