import { once } from 'node:events';
import type { Caller, Channel } from '../../ipc/index.ts';
import type { Cache, Listener, Lock, LockOptions } from '../cache.ts';
import type { PrimaryCacheCalls, PrimaryCacheNews } from './cache-host.ts';

export interface PrimaryCacheOptions {
  readonly channel: Channel;
  /** Told what a listener threw: nobody else can be. */
  readonly onListenerError: (error: unknown) => void;
}

/** One for each channel. */
export const openPrimaryCache = (options: PrimaryCacheOptions): Cache => new PrimaryCache(options);

class PrimaryCache implements Cache {
  readonly #primary: Caller<PrimaryCacheCalls>;
  readonly #listeners = new Map<number, Listener>();
  readonly #closed = new AbortController();
  readonly #lost = new AbortController();
  #next = 1;

  constructor({ channel, onListenerError }: PrimaryCacheOptions) {
    this.#primary = channel.caller<PrimaryCacheCalls>();
    channel.serve<PrimaryCacheNews>({
      cacheMessage: (id, text) => {
        try {
          this.#listeners.get(id)?.message(text);
        } catch (error) {
          onListenerError(error);
        }
      },
    });
    channel.onClosed(() => {
      this.#lost.abort(new Error('the lock was lost: the primary process of this daemon is gone'));
      for (const { gap } of this.#listeners.values()) gap?.('deaf');
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    const found = await this.#primary.call('cacheGet', key);
    return found && bufferOf(found);
  }

  async set(key: string, value: Uint8Array | string, ttlMs: number): Promise<void> {
    await this.#primary.call('cacheSet', key, value, ttlMs);
  }

  async setIfAbsent(key: string, value: Uint8Array | string, ttlMs: number): Promise<Buffer> {
    return bufferOf(await this.#primary.call('cacheSetIfAbsent', key, value, ttlMs));
  }

  async delete(key: string): Promise<boolean> {
    return await this.#primary.call('cacheDelete', key);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#primary.call('cachePublish', channel, message);
  }

  async subscribe(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const id = this.#next++;
    this.#listeners.set(id, listener);
    await this.#primary.call('cacheSubscribe', channel, id);
    return async () => {
      if (this.#listeners.delete(id) && !this.#lost.signal.aborted) await this.#primary.call('cacheUnsubscribe', id);
    };
  }

  async lock(name: string, { waitMs, signal }: LockOptions = {}): Promise<Lock | undefined> {
    const given = AbortSignal.any([this.#closed.signal, ...(signal === undefined ? [] : [signal])]);
    given.throwIfAborted();
    const id = this.#next++;
    const asked = this.#primary.call('cacheLock', name, id, waitMs);
    const ended = new AbortController();
    const leaving = once(given, 'abort', { signal: ended.signal }).then(
      () => this.#primary.tell('cacheRelease', id),
      () => undefined,
    );
    try {
      const fence = await asked;
      given.throwIfAborted();
      return fence === undefined ? undefined : this.#held(id, fence);
    } finally {
      ended.abort();
      await leaving;
    }
  }

  problem(): string | undefined {
    return this.#lost.signal.aborted ? 'the primary process of this daemon is gone' : undefined;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the cache was closed while waiting for a lock'));
    this.#listeners.clear();
  }

  #held(id: number, fence: number): Lock {
    const lost = this.#lost.signal;
    let released = false;
    return {
      fence,
      lost,
      get held() {
        return !released && !lost.aborted;
      },
      release: async () => {
        if (released) return;
        released = true;
        if (!lost.aborted) await this.#primary.call('cacheRelease', id);
      },
    };
  }
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
