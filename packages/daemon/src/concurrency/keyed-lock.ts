/** Runs work for the same key one after another, for different keys side by side. Within this process. */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Waits until all earlier work for the key has settled, then runs this. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const { promise: tail, resolve: release } = Promise.withResolvers<void>();
    this.#tails.set(key, tail);
    await before;
    try {
      return await work();
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
      release();
    }
  }
}
