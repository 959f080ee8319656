import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { LRUCache } from 'lru-cache';
import { DatabaseError, type DatabaseFailure } from './database-error.ts';

/** How long a caller waits for the database when there is something to go on with. */
const PATIENCE_MS = 1000;
/** How long that serves on until the database is asked again. */
const SERVED_ON_MS = 2000;
/** An entry may stay so much longer than its lifetime. */
const CLOCK_MS = 20;
const LATE = Symbol('late');
/** Of an entry whose time is over, whenever that is asked: within one turn of the event loop the library's clock may stand still. */
const OVER = { ttl: 1, start: Number.NEGATIVE_INFINITY };
const outages: ReadonlySet<DatabaseFailure> = new Set<DatabaseFailure>(['unreachable', 'lost', 'busy']);

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
 * is never kept after it. An entry whose time is over is asked for anew; while the database does not answer it serves on, so
 * that what works goes on working.
 */
export class ReadThroughCache<V extends object> {
  readonly #entries: LRUCache<string, V>;
  readonly #lifetimeMs: number;
  readonly #onInvalidated: ((key: string) => void) | undefined;
  readonly #loading = new Map<string, Promise<V | undefined>>();
  #longestMs = Number.POSITIVE_INFINITY;

  constructor({ maxEntries, maxWeight, weigh, lifetimeMs, onInvalidated }: ReadThroughCacheOptions<V>) {
    this.#entries = new LRUCache({
      ...(maxWeight === undefined
        ? countedUpTo(maxEntries)
        : { max: maxEntries, maxSize: maxWeight, sizeCalculation: (value) => Math.max(1, weigh?.(value) ?? 1) }),
      ttl: lifetimeMs,
      // How long the library's clock may stand still: it sets a timer each time that it looks at a real one, else once a millisecond.
      ttlResolution: CLOCK_MS,
      noDeleteOnStaleGet: true,
    });
    this.#lifetimeMs = lifetimeMs;
    this.#onInvalidated = onInvalidated;
  }

  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  async get(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const fresh = this.peek(key);
    if (fresh !== undefined) return fresh;
    const loading = this.#loading.get(key) ?? this.#load(key, load);
    const stale = this.#entries.peek(key, { allowStale: true });
    return stale === undefined ? await loading : await this.#orStale(key, loading, stale);
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

  /** Any row may have been changed elsewhere: everything is asked for anew. */
  forgetAll(): void {
    for (const [key, value] of [...this.#entries.entries()]) this.#entries.set(key, value, OVER);
    this.#loading.clear();
  }

  /** Bounds the lifetime of what is read from now on, while changes cannot be heard of; undefined lifts the bound. */
  boundLifetime(ms: number | undefined): void {
    this.#longestMs = ms ?? Number.POSITIVE_INFINITY;
  }

  /** What the database says, unless it does not answer: then what is known, and the next callers do not wait for it either. */
  async #orStale(key: string, loading: Promise<V | undefined>, stale: V): Promise<V | undefined> {
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), PATIENCE_MS);
    try {
      const answer = await Promise.race([loading, late.promise]);
      if (answer !== LATE) return answer;
    } catch (error) {
      if (!(error instanceof DatabaseError) || !outages.has(error.failure)) throw error;
    } finally {
      clearTimeout(timer);
    }
    // Forgotten meanwhile, it was changed: then only the database knows.
    if (this.#entries.peek(key, { allowStale: true }) !== stale) return await loading;
    this.#entries.set(key, stale, { ttl: Math.min(SERVED_ON_MS, this.#lifetimeMs) });
    return stale;
  }

  #load(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    const loading: Promise<V | undefined> = load().then(
      (value) => {
        if (this.#loading.get(key) !== loading) return value;
        this.#loading.delete(key);
        if (value === undefined) this.#entries.delete(key);
        else this.set(key, value);
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
