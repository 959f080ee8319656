import { setTimeout as pause } from 'node:timers/promises';
import type { EventBus } from '../events/index.ts';
import { DatabaseError, type DatabaseFailure } from './database-error.ts';
import type { MissingKey } from './migrate.ts';
import { type DatabaseOptions, openDatabase } from './open.ts';
import type { Database } from './repositories/index.ts';

/** What goes away when the server has been started, or has room again. */
const passing: ReadonlySet<DatabaseFailure> = new Set<DatabaseFailure>(['unreachable', 'lost', 'busy', 'read-only']);
const firstPauseMs = 250;
const longestPauseMs = 5000;

export interface WaitingOptions {
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** See `openDatabase`. */
  readonly events?: EventBus | undefined;
  /** See `openDatabase`. */
  readonly onMissingKey?: (key: MissingKey) => void;
  /** Called once, with the first failure. */
  readonly onWaiting: (error: DatabaseError) => void | Promise<void>;
}

/**
 * Opens the database; a server that is not up yet is waited for.
 * @throws DatabaseError when waiting does not help; the reason of the signal
 */
export async function awaitDatabase(
  options: DatabaseOptions,
  { signal, events, onMissingKey, onWaiting }: WaitingOptions,
): Promise<Database> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await openDatabase(options, events, onMissingKey);
    } catch (error) {
      const waits = options.type !== 'sqlite' && error instanceof DatabaseError && passing.has(error.failure);
      if (!waits) throw error;
      if (failures === 0) await onWaiting(error);
    }
    try {
      await pause(Math.min(firstPauseMs * 2 ** failures, longestPauseMs), undefined, { signal });
    } catch {
      // Aborted: the check above says so.
    }
  }
}
