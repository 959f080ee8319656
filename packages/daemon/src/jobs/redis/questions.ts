import { once } from 'node:events';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { QueueClient } from '../../cache/index.ts';
import { within } from './library.ts';

/** A command that takes longer has failed. */
export const COMMAND_MS = 3000;

/** Asks the server something, for a while. @param verb what it could not be, if it does not answer @throws DaemonError */
export async function ask<T>(client: QueueClient, verb: string, question: () => Promise<T>): Promise<T> {
  try {
    return await within(COMMAND_MS, ready(client).then(question));
  } catch (error) {
    throw new DaemonError('unavailable', `Redis could not ${verb}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
      remedy: 'what runs goes on without it; see that the servers named by the REDIS_* settings run, then try again',
    });
  }
}

/** Asked before it answers, the client would keep commands for it without a bound. */
async function ready(client: QueueClient): Promise<void> {
  if (client.status !== 'ready') await once(client, 'ready', { signal: AbortSignal.timeout(COMMAND_MS) });
}
