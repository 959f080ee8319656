interface Holder<T> {
  value: T | undefined;
}

/**
 * A map whose entries stay for a moment and are many in all, such as the open calls.
 *
 * A plain `Map` of V8 leaves its former table behind each time it makes a new one, with what was in it and a link to the next. Once
 * one of them is in the old generation, young collections take the whole chain for alive: every call that ever stood in it is kept, and
 * moved, until the next full collection. Here such tables hold nothing but holders that are empty.
 */
export class PassingMap<Key, Value extends object> {
  readonly #holders = new Map<Key, Holder<Value>>();

  get size(): number {
    return this.#holders.size;
  }

  get(key: Key): Value | undefined {
    return this.#holders.get(key)?.value;
  }

  has(key: Key): boolean {
    return this.#holders.has(key);
  }

  set(key: Key, value: Value): void {
    const holder = this.#holders.get(key);
    if (holder === undefined) this.#holders.set(key, { value });
    else holder.value = value;
  }

  /** @returns whether it was there */
  delete(key: Key): boolean {
    const holder = this.#holders.get(key);
    if (holder === undefined) return false;
    holder.value = undefined;
    return this.#holders.delete(key);
  }

  /** The entries, the oldest first: as they are now, whatever becomes of them meanwhile. */
  entries(): [Key, Value][] {
    const found: [Key, Value][] = [];
    for (const [key, { value }] of this.#holders) if (value !== undefined) found.push([key, value]);
    return found;
  }

  values(): Value[] {
    return this.entries().map(([, value]) => value);
  }
}
