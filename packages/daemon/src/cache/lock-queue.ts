import type { Lock, LockOptions } from './cache.ts';

interface Waiter {
  readonly give: () => void;
  readonly fail: (reason: unknown) => void;
}

/** Nobody outside this process can take such a lock away. */
const never = new AbortController().signal;

/** Locks by name inside one process, first come first served. */
export class LockQueue {
  /** A name that is held has an entry, with those who wait for it. */
  readonly #held = new Map<string, Waiter[]>();
  #fence = 0;

  async take(name: string, { waitMs, signal }: LockOptions): Promise<Lock | undefined> {
    signal?.throwIfAborted();
    const waiters = this.#held.get(name);
    if (waiters === undefined) {
      this.#held.set(name, []);
      return this.#lock(name);
    }
    if (waitMs === 0) return undefined;
    return (await this.#wait(waiters, waitMs, signal)) ? this.#lock(name) : undefined;
  }

  close(): void {
    for (const waiters of this.#held.values()) {
      for (const waiter of waiters.splice(0)) waiter.fail(new Error('the cache was closed while waiting for a lock'));
    }
  }

  #wait(waiters: Waiter[], waitMs: number | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const waiter: Waiter = { give: () => end(() => resolve(true)), fail: (reason) => end(() => reject(reason)) };
    const timer = waitMs === undefined ? undefined : setTimeout(() => end(() => resolve(false)), waitMs);
    const abort = () => waiter.fail(signal?.reason);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      const at = waiters.indexOf(waiter);
      if (at >= 0) waiters.splice(at, 1);
      settle();
    };
    signal?.addEventListener('abort', abort);
    waiters.push(waiter);
    return promise;
  }

  #lock(name: string): Lock {
    const fence = ++this.#fence;
    let held = true;
    return {
      fence,
      lost: never,
      get held() {
        return held;
      },
      release: async () => {
        if (!held) return;
        held = false;
        const next = this.#held.get(name)?.[0];
        if (next === undefined) this.#held.delete(name);
        else next.give();
      },
    };
  }
}
