/** A bucket of calls that fills evenly: as many at once as in a minute, and no more over time. */
export class CallRate {
  readonly #perMinute: number;
  #left: number;
  #at: number;

  constructor(perMinute: number, now: number) {
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#at = now;
  }

  /** @returns 0 if the call may begin, else the milliseconds until one may */
  take(now: number): number {
    const msPerCall = 60_000 / this.#perMinute;
    this.#left = Math.min(this.#perMinute, this.#left + Math.max(0, now - this.#at) / msPerCall);
    this.#at = Math.max(now, this.#at);
    if (this.#left >= 1) {
      this.#left--;
      return 0;
    }
    return (1 - this.#left) * msPerCall;
  }
}
