/**
 * The average of a level, such as the number of open calls, over the time that went by last. A level holds until the next one is
 * recorded; time is cut into slots, so that what is kept does not depend on how much is recorded.
 */
export class LoadWindow {
  readonly #slotMs: number;
  /** Level times milliseconds, for each slot of the ring. */
  readonly #sums: Float64Array;
  /** The slot, counted since time zero, in which the newest level was recorded. */
  #slot = 0;
  #at: number | undefined;
  #since = 0;
  #level = 0;

  /** @param windowMs how far back it looks; cut into `slots` parts, of which the oldest is forgotten as a whole */
  constructor(windowMs: number, slots = 60) {
    this.#slotMs = windowMs / slots;
    this.#sums = new Float64Array(slots);
  }

  /** From `now` on the level is this. A time before the last one counts as the last one. */
  record(now: number, level: number): void {
    this.#advance(now);
    this.#level = level;
  }

  /** Over the window, or since the first record where that is less. Without any time in between it is the level itself. */
  average(now: number): number {
    if (this.#at === undefined) return 0;
    this.#advance(now);
    // The oldest slot is whole, the newest one has only just begun.
    const oldest = (this.#slot - this.#sums.length + 1) * this.#slotMs;
    const span = this.#at - Math.max(oldest, this.#since);
    if (span <= 0) return this.#level;
    let sum = 0;
    for (const part of this.#sums) sum += part;
    return Math.max(0, sum / span);
  }

  #advance(now: number): void {
    const slotMs = this.#slotMs;
    if (this.#at === undefined) {
      this.#at = now;
      this.#since = now;
      this.#slot = Math.floor(now / slotMs);
      return;
    }
    const to = Math.max(now, this.#at);
    const last = Math.floor(to / slotMs);
    const count = this.#sums.length;
    if (last - this.#slot >= count) {
      // Nothing of what was recorded is left but the level that held on.
      this.#at = (last - count + 1) * slotMs;
      this.#sums.fill(0);
      this.#slot = last - count + 1;
    }
    while (this.#slot < last) {
      const end = (this.#slot + 1) * slotMs;
      this.#add(end - this.#at);
      this.#at = end;
      this.#slot++;
      this.#sums[this.#slot % count] = 0;
    }
    this.#add(to - this.#at);
    this.#at = to;
  }

  #add(milliseconds: number): void {
    const at = this.#slot % this.#sums.length;
    this.#sums[at] = (this.#sums[at] ?? 0) + this.#level * milliseconds;
  }
}
