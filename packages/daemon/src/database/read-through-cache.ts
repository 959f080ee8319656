export interface ReadThroughCacheOptions<V> {
  readonly maxEntries: number;
  /** Most weight of all entries together; without it every entry weighs nothing. */
  readonly maxWeight?: number;
  readonly weigh?: (value: V) => number;
}

/**
 * Rows in memory: read once, dropped when they change, the least recently used ones first when there are too many.
 * Parallel readers of a missing entry share one query; absence is not remembered; what was read before an invalidation
 * is never kept after it.
 */
export class ReadThroughCache<V extends object> {
  readonly #options: ReadThroughCacheOptions<V>;
  /** In the order of use. */
  readonly #entries = new Map<string, V>();
  readonly #loading = new Map<string, Promise<V | undefined>>();
  #weight = 0;

  constructor(options: ReadThroughCacheOptions<V>) {
    this.#options = options;
  }

  peek(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, value);
    }
    return value;
  }

  async get(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    return this.peek(key) ?? (await (this.#loading.get(key) ?? this.#load(key, load)));
  }

  set(key: string, value: V): void {
    this.#remove(key);
    this.#entries.set(key, value);
    this.#weight += this.#weigh(value);
    const { maxEntries, maxWeight = Number.POSITIVE_INFINITY } = this.#options;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#weight <= maxWeight) return;
      this.#remove(oldest);
    }
  }

  /** Forgets the entry, and whatever a query under way will find for it. */
  invalidate(key: string): void {
    this.#remove(key);
    this.#loading.delete(key);
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

  #remove(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }

  #weigh(value: V): number {
    return this.#options.weigh?.(value) ?? 0;
  }
}
