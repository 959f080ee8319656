import { LRUCache } from 'lru-cache';

export interface ReadThroughCacheOptions<V> {
  readonly maxEntries: number;
  /** Most weight of all entries together; without it every entry weighs nothing. */
  readonly maxWeight?: number;
  readonly weigh?: (value: V) => number;
  /** How long an entry may stay at most, in ms, on a clock that does not jump: the last resort against a change that nobody told. */
  readonly lifetimeMs: number;
  /** Told of every entry that is invalidated here, so that others can forget it too. */
  readonly onInvalidated?: (key: string) => void;
}

/**
 * Rows in memory: read once, dropped when they change, the least recently used ones first when there are too many.
 * Parallel readers of a missing entry share one query; absence is not remembered; what was read before an invalidation
 * is never kept after it.
 */
export class ReadThroughCache<V extends object> {
  readonly #entries: LRUCache<string, V>;
  readonly #lifetimeMs: number;
  readonly #onInvalidated: ((key: string) => void) | undefined;
  readonly #loading = new Map<string, Promise<V | undefined>>();
  #longestMs = Number.POSITIVE_INFINITY;

  constructor({ maxEntries, maxWeight, weigh, lifetimeMs, onInvalidated }: ReadThroughCacheOptions<V>) {
    this.#entries = new LRUCache({
      max: maxEntries,
      ttl: lifetimeMs,
      ...(maxWeight !== undefined && {
        maxSize: maxWeight,
        sizeCalculation: (value) => Math.max(1, weigh?.(value) ?? 1),
      }),
    });
    this.#lifetimeMs = lifetimeMs;
    this.#onInvalidated = onInvalidated;
  }

  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  async get(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    return this.peek(key) ?? (await (this.#loading.get(key) ?? this.#load(key, load)));
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value, { ttl: Math.min(this.#lifetimeMs, this.#longestMs) });
  }

  /** The row was changed here: forgets the entry, and whatever a query under way will find for it. */
  invalidate(key: string): void {
    this.forget(key);
    this.#onInvalidated?.(key);
  }

  /** The row was changed elsewhere. */
  forget(key: string): void {
    this.#entries.delete(key);
    this.#loading.delete(key);
  }

  /** Any row may have been changed elsewhere. */
  forgetAll(): void {
    this.#entries.clear();
    this.#loading.clear();
  }

  /** Bounds the lifetime of what is read from now on, while changes cannot be heard of; undefined lifts the bound. */
  boundLifetime(ms: number | undefined): void {
    this.#longestMs = ms ?? Number.POSITIVE_INFINITY;
  }

  #load(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const loading: Promise<V | undefined> = load().then(
      (value) => {
        if (this.#loading.get(key) !== loading) return value;
        this.#loading.delete(key);
        if (value !== undefined) this.set(key, value);
        return value;
      },
      (error: unknown) => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
        throw error;
      },
    );
    this.#loading.set(key, loading);
    return loading;
  }
}
