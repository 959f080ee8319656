/** Chance that is the same each time. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not including, 1 (mulberry32). */
  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  /** A whole number below `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** Waiting times of what happens at any moment with the same likelihood. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }
}

/** Draws from `count` things of which the n-th is wanted n^-skew times as often as the first. */
export class Popularity {
  /** The share of all up to and including each. */
  readonly #upTo: Float64Array;

  constructor(count: number, skew: number) {
    this.#upTo = new Float64Array(count);
    let sum = 0;
    for (let at = 0; at < count; at++) {
      sum += (at + 1) ** -skew;
      this.#upTo[at] = sum;
    }
    for (let at = 0; at < count; at++) this.#upTo[at] = (this.#upTo[at] ?? 0) / sum;
  }

  draw(chance: Chance): number {
    const wanted = chance.next();
    let [from, to] = [0, this.#upTo.length - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#upTo[middle] ?? 1) > wanted) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}
