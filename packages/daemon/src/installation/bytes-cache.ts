import { LRUCache } from 'lru-cache';

export interface BytesCacheLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Values with the bytes they take: the least recently used one goes first when there are too many, or too much of them. */
export class BytesCache<V extends object | string> {
  readonly #limits: { readonly max: number; readonly maxSize: number; readonly maxEntrySize: number };
  /** Made with the first entry: the library makes room for all of them at once. */
  #entries: LRUCache<string, V> | undefined;

  constructor({ maxEntries, maxBytes }: BytesCacheLimits) {
    // One that is larger than a quarter of the cache is not kept, lest it drive everything else out.
    this.#limits = { max: maxEntries, maxSize: Math.floor(maxBytes), maxEntrySize: Math.floor(maxBytes / 4) };
  }

  get(key: string): V | undefined {
    return this.#entries?.get(key);
  }

  set(key: string, value: V, bytes: number): void {
    // To the library a limit of none is no limit.
    if (this.#limits.max < 1 || this.#limits.maxEntrySize < 1) return;
    this.#entries ??= new LRUCache(this.#limits);
    this.#entries.set(key, value, { size: Math.max(1, bytes + key.length) });
  }

  delete(key: string): void {
    this.#entries?.delete(key);
  }
}
