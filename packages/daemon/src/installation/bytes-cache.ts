import { LRUCache } from 'lru-cache';

export interface BytesCacheLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** Values with the bytes they take: the least recently used one goes first when there are too many, or too much of them. */
export class BytesCache<V extends object | string> {
  readonly #entries: LRUCache<string, V> | undefined;

  constructor({ maxEntries, maxBytes }: BytesCacheLimits) {
    // One that is larger than a quarter of the cache is not kept, lest it drive everything else out.
    const maxEntrySize = Math.floor(maxBytes / 4);
    // To the library a limit of none is no limit.
    this.#entries =
      maxEntries < 1 || maxEntrySize < 1
        ? undefined
        : new LRUCache({ max: maxEntries, maxSize: Math.floor(maxBytes), maxEntrySize });
  }

  get(key: string): V | undefined {
    return this.#entries?.get(key);
  }

  set(key: string, value: V, bytes: number): void {
    this.#entries?.set(key, value, { size: Math.max(1, bytes + key.length) });
  }

  delete(key: string): void {
    this.#entries?.delete(key);
  }
}
