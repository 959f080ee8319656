import type { Cache, Listener, Lock, LockOptions } from '../cache.ts';
import { LockQueue } from '../lock-queue.ts';

export interface MemoryCacheOptions {
  /** Most values at a time; beyond it the one set longest ago goes. */
  readonly maxEntries?: number;
  /** Told what a listener threw: nobody else can be. */
  readonly onListenerError: (error: unknown) => void;
}

export function openMemoryCache(options: MemoryCacheOptions): Cache {
  return new MemoryCache(options.maxEntries ?? 100_000, options.onListenerError);
}

interface Entry {
  readonly value: Buffer;
  /** On the monotonic clock, in ms. */
  readonly expires: number;
}

class MemoryCache implements Cache {
  readonly #maxEntries: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #locks = new LockQueue();

  constructor(maxEntries: number, onListenerError: (error: unknown) => void) {
    this.#maxEntries = maxEntries;
    this.#onListenerError = onListenerError;
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#find(key);
  }

  async set(key: string, value: Uint8Array | string, ttlMs: number): Promise<void> {
    this.#put(key, value, ttlMs);
  }

  async setIfAbsent(key: string, value: Uint8Array | string, ttlMs: number): Promise<Buffer> {
    return this.#find(key) ?? this.#put(key, value, ttlMs);
  }

  async delete(key: string): Promise<boolean> {
    const present = this.#find(key) !== undefined;
    this.#entries.delete(key);
    return present;
  }

  async publish(channel: string, message: string): Promise<void> {
    for (const listener of this.#listeners.get(channel) ?? []) {
      queueMicrotask(() => {
        if (this.#listeners.get(channel)?.has(listener) !== true) return;
        try {
          listener.message(message);
        } catch (error) {
          this.#onListenerError(error);
        }
      });
    }
  }

  async subscribe(channel: string, listener: Listener): Promise<() => Promise<void>> {
    // An object of its own, so that subscribing one listener twice makes two subscriptions.
    const own: Listener = { message: (text) => listener.message(text) };
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(own));
    return async () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  async lock(name: string, options: LockOptions = {}): Promise<Lock | undefined> {
    return await this.#locks.take(name, options);
  }

  /** This process is all there is. */
  problem(): undefined {
    return undefined;
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#listeners.clear();
    this.#locks.close();
  }

  #find(key: string): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expires > performance.now()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  #put(key: string, given: Uint8Array | string, ttlMs: number): Buffer {
    const value = Buffer.from(given);
    this.#entries.delete(key);
    this.#entries.set(key, { value, expires: performance.now() + ttlMs });
    if (this.#entries.size > this.#maxEntries) this.#makeRoom();
    return value;
  }

  #makeRoom(): void {
    const now = performance.now();
    for (const [key, entry] of this.#entries) if (entry.expires <= now) this.#entries.delete(key);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) return;
      this.#entries.delete(key);
    }
  }
}
