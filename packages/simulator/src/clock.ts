interface Entry {
  readonly at: number;
  /** Of two at the same time the one that was asked for first. */
  readonly turn: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Time that passes only from one thing that happens to the next, in milliseconds. */
export class Clock {
  #now = 0;
  #turn = 0;
  /** A binary heap; the next one stands first. */
  readonly #heap: Entry[] = [];

  get now(): number {
    return this.#now;
  }

  /** @returns ends it */
  after(ms: number, run: () => void): () => void {
    const entry: Entry = { at: this.#now + Math.max(0, ms), turn: this.#turn++, run, cancelled: false };
    this.#push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Over and over, until the function that is returned is called. */
  every(ms: number, run: () => void, first = ms): () => void {
    let stop = () => {};
    const again = () => {
      stop = this.after(ms, again);
      run();
    };
    stop = this.after(first, again);
    return () => stop();
  }

  /** Lets happen what happens up to a time, that time included. */
  runUntil(time: number): void {
    for (let [next] = this.#heap; next !== undefined && next.at <= time; [next] = this.#heap) {
      this.#pop();
      if (next.cancelled) continue;
      this.#now = next.at;
      next.run();
    }
    this.#now = Math.max(this.#now, time);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    const count = heap.length;
    if (last === undefined || count === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left === undefined) break;
      let child = left;
      if (right !== undefined && isBefore(right, left)) [child, below] = [right, below + 1];
      if (isBefore(last, child)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.at < other.at || (one.at === other.at && one.turn < other.turn);
