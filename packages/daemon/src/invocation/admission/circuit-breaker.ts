/**
 * Closed while calls succeed; open for a while after so many failed in a row; then one call tries, and its end decides. Sessions are not
 * promises, so what wraps functions does not fit them.
 */
export class CircuitBreaker {
  readonly #failuresToOpen: number;
  readonly #openMs: number;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;
  #trying = false;

  constructor(failuresToOpen: number, openMs: number) {
    this.#failuresToOpen = failuresToOpen;
    this.#openMs = openMs;
  }

  /** @returns 0 if the call may begin, else the milliseconds until one may */
  take(now: number): number {
    if (this.#failures < this.#failuresToOpen) return 0;
    if (now < this.#openUntil) return this.#openUntil - now;
    if (this.#trying) return this.#openMs;
    this.#trying = true;
    return 0;
  }

  /** A call that was let in has ended. */
  ended(now: number, how: 'success' | 'failure' | 'neither'): void {
    this.#trying = false;
    if (how === 'success') this.#failures = 0;
    if (how !== 'failure') return;
    this.#failures++;
    if (this.#failures >= this.#failuresToOpen) this.#openUntil = now + this.#openMs;
  }
}
