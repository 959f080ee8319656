import { setTimeout as pause } from 'node:timers/promises';
import type { IsolationLevel, Kysely, Transaction } from 'kysely';
import { DatabaseError, type DatabaseFailure } from './database-error.ts';
import type { Tables } from './schema.ts';

/** How often the same work is begun anew after failures that pass. */
const repetitions: { readonly [F in DatabaseFailure]?: number } = {
  conflict: 6,
  // Somebody else made the row meanwhile; the second time it is found. A key that is wrong stays wrong.
  duplicate: 1,
  lost: 2,
};
const firstPauseMs = 5;

export interface TransactionOptions {
  /** Without one: that of the connection. */
  readonly isolation?: IsolationLevel;
}

/** One transaction, begun anew a few times after failures that pass; the last one is thrown. */
export async function inTransaction<T>(
  kysely: Kysely<Tables>,
  work: (tx: Transaction<Tables>) => Promise<T>,
  { isolation }: TransactionOptions = {},
): Promise<T> {
  for (let repetition = 0; ; repetition++) {
    try {
      const transaction = kysely.transaction();
      return await (isolation === undefined ? transaction : transaction.setIsolationLevel(isolation)).execute(work);
    } catch (error) {
      if (!(error instanceof DatabaseError) || repetition >= (repetitions[error.failure] ?? 0)) throw error;
      // Those who met each other should not meet again.
      await pause(firstPauseMs * 2 ** repetition * (1 + Math.random()));
    }
  }
}
