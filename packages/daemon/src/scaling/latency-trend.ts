/** The share of a new value in the mean. */
const WEIGHT = 0.1;
/** By so much the best time of a kind is believed less with every call: machines and models become slower for good, too. */
const FORGET = 1.005;
/** Kinds that are told apart; they come from a table, and beyond it they share one. */
const MAX_KINDS = 64;
const OTHERS = '';

/**
 * How much longer calls take than they do when nothing keeps them waiting: the time of each against the best of its kind. Calls of one
 * plugin differ by orders of magnitude, so times alone say nothing.
 */
export class LatencyTrend {
  readonly #best = new Map<string, number>();
  #mean = 1;

  /** @param kind what is compared with each other, such as an action @param ms from the call to its first answer */
  record(kind: string, ms: number): void {
    if (!(ms >= 0)) return;
    const key = this.#best.has(kind) || this.#best.size < MAX_KINDS ? kind : OTHERS;
    // Below a millisecond it is noise that would make everything look slow.
    const taken = Math.max(1, ms);
    const best = Math.min(taken, (this.#best.get(key) ?? taken) * FORGET);
    this.#best.set(key, best);
    this.#mean += WEIGHT * (taken / best - this.#mean);
  }

  /** 1: as quick as ever; 2: twice as long. */
  get slowdown(): number {
    return this.#mean;
  }
}
