import { DatabaseError, type DatabaseFailure } from '../database-error.ts';

interface Explanation {
  readonly failure: DatabaseFailure;
  readonly problem: string;
  readonly remedy?: (file: string) => string;
}

/** By primary result code of SQLite. */
const explanations: ReadonlyMap<number, Explanation> = new Map<number, Explanation>([
  [5, { failure: 'busy', problem: 'is locked', remedy: (file) => `end the other program that has ${file} open` }],
  [6, { failure: 'busy', problem: 'is locked', remedy: (file) => `end the other program that has ${file} open` }],
  [8, { failure: 'read-only', problem: 'cannot be written to', remedy: permission }],
  [10, { failure: 'other', problem: 'cannot be read or written (input/output error)', remedy: disk }],
  [11, { failure: 'corrupt', problem: 'is damaged', remedy: restore }],
  [13, { failure: 'full', problem: 'cannot grow: the disk is full', remedy: disk }],
  [14, { failure: 'unreachable', problem: 'cannot be opened', remedy: permission }],
  [19, { failure: 'duplicate', problem: 'has a row with this key already' }],
  [26, { failure: 'corrupt', problem: 'is not a database', remedy: restore }],
]);

function permission(file: string): string {
  return `let the user of the daemon read and write ${file} and its directory`;
}

function disk(file: string): string {
  return `check the free space and the health of the disk of ${file}, then try again; nothing was lost`;
}

function restore(file: string): string {
  return `put a backup in its place, or move ${file} with its -wal and -shm files away to start with an empty database (plugins must then be installed anew)`;
}

/** A failure of node:sqlite as an error that names the file, the cause and the remedy; anything else unchanged. */
export function sqliteError(cause: unknown, file: string): unknown {
  if (!(cause instanceof Error)) return cause;
  if ('syscall' in cause) {
    const message = `the database ${file} cannot be opened: ${cause.message}`;
    return new DatabaseError('unreachable', message, { cause, remedy: permission(file) });
  }
  if (!('errcode' in cause) || typeof cause.errcode !== 'number') return cause;
  const known = explanations.get(cause.errcode & 0xff);
  const failure = known?.failure ?? 'other';
  const problem = known?.problem ?? 'failed';
  const remedy = known?.remedy?.(file);
  const message = `the database ${file} ${problem}: ${cause.message}`;
  return new DatabaseError(failure, message, { cause, ...(remedy === undefined ? {} : { remedy }) });
}
