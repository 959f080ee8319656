import type { Channel } from '../../ipc/index.ts';
import type { Cache, Lock } from '../cache.ts';

/** What workers ask of the primary process. Subscriptions and locks go by numbers of the worker's choice. */
export interface PrimaryCacheCalls {
  cacheGet(key: string): Uint8Array | undefined;
  cacheSet(key: string, value: Uint8Array | string, ttlMs: number): void;
  cacheSetIfAbsent(key: string, value: Uint8Array | string, ttlMs: number): Uint8Array;
  cacheDelete(key: string): boolean;
  cachePublish(channel: string, message: string): void;
  cacheSubscribe(channel: string, id: number): void;
  cacheUnsubscribe(id: number): void;
  /** @returns the fence; undefined when it was not to be had in time, or the waiting was given up */
  cacheLock(name: string, id: number, waitMs: number | undefined): number | undefined;
  /** Ends the waiting for a lock, or the lock. */
  cacheRelease(id: number): void;
}

/** What it tells them. */
export interface PrimaryCacheNews {
  cacheMessage(id: number, text: string): void;
}

interface Held {
  readonly waiting: AbortController;
  lock?: Lock;
}

/** Lets one worker use a cache of this process. What it holds ends with it. */
export function serveCache(channel: Channel, cache: Cache): void {
  const worker = channel.caller<PrimaryCacheNews>();
  const subscriptions = new Map<number, () => Promise<void>>();
  const locks = new Map<number, Held>();
  const release = async (id: number): Promise<void> => {
    const held = locks.get(id);
    locks.delete(id);
    held?.waiting.abort();
    await held?.lock?.release();
  };
  channel.serve<PrimaryCacheCalls>({
    cacheGet: (key) => cache.get(key),
    cacheSet: (key, value, ttlMs) => cache.set(key, value, ttlMs),
    cacheSetIfAbsent: (key, value, ttlMs) => cache.setIfAbsent(key, value, ttlMs),
    cacheDelete: (key) => cache.delete(key),
    cachePublish: (name, message) => cache.publish(name, message),
    async cacheSubscribe(name, id) {
      const end = await cache.subscribe(name, { message: (text) => worker.tell('cacheMessage', id, text) });
      if (channel.isClosed) await end();
      else subscriptions.set(id, end);
    },
    async cacheUnsubscribe(id) {
      await subscriptions.get(id)?.();
      subscriptions.delete(id);
    },
    async cacheLock(name, id, waitMs) {
      const held: Held = { waiting: new AbortController() };
      locks.set(id, held);
      const { signal } = held.waiting;
      const lock = await cache
        .lock(name, { signal, ...(waitMs !== undefined && { waitMs }) })
        .catch((error: unknown) => {
          if (signal.aborted) return undefined;
          throw error;
        });
      if (lock === undefined) {
        locks.delete(id);
        return undefined;
      }
      // Given up, or its worker died, in the moment it was given.
      if (signal.aborted) {
        await lock.release();
        return undefined;
      }
      held.lock = lock;
      return lock.fence;
    },
    cacheRelease: release,
  });
  channel.onClosed(() => {
    for (const end of subscriptions.values()) void end();
    for (const id of [...locks.keys()]) void release(id);
  });
}
