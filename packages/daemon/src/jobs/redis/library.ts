import { setTimeout as pause } from 'node:timers/promises';
import type * as BullMQ from 'bullmq';
import type { Job } from 'bullmq';
import type { JobName } from '../job-kinds.ts';

/** What a job carries: its name, since ids of the library may not hold a colon. */
export const named = (name: JobName): { readonly name: JobName } => ({ name });

/** Nothing near this is a name: identifiers have at most 255 characters. */
const LONGEST_NAME = 512;

/** Reads what stands in Redis; undefined for what no node of this version puts there. */
named.read = (data: unknown): JobName | undefined => {
  const name: unknown = typeof data === 'object' && data !== null && 'name' in data ? data.name : undefined;
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME ? name : undefined;
};

export const nameOf = (name: JobName): string => name.replaceAll(':', '~');

/** Leaves a job for the next node that asks. @throws always: so the library learns that the job is not over */
export async function giveBack(library: typeof BullMQ, job: Job, token: string | undefined): Promise<never> {
  await job.moveToWait(token);
  throw new library.WaitingError();
}

/** Leaves a job for later. @throws as giveBack */
export async function later(
  library: typeof BullMQ,
  job: Job,
  token: string | undefined,
  delayMs: number,
): Promise<never> {
  await job.moveToDelayed(Date.now() + delayMs, token);
  throw new library.DelayedError();
}

/** What a server does when its memory is full; one without a limit, or that does not say, throws nothing away. */
export function evictionPolicy(info: string): string {
  const fields = new Map(info.split('\r\n').map((line): [string, string] => [line.split(':', 1)[0] ?? '', line]));
  const value = (name: string) => fields.get(name)?.slice(name.length + 1) ?? '';
  return value('maxmemory') === '0' || value('maxmemory_policy') === '' ? 'noeviction' : value('maxmemory_policy');
}

/** Rejects when it takes longer; what is late may come and is not looked at. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const given = new AbortController();
  try {
    return await Promise.race([
      work,
      pause(ms, undefined, { signal: given.signal }).then(() => {
        throw new Error(`no answer within ${ms} ms`);
      }),
    ]);
  } finally {
    given.abort();
  }
}
