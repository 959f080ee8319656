/**
 * Closed while calls succeed; open for a while after so many failed in a row; then one call tries, and its end decides. Sessions are not
 * promises, so what wraps functions does not fit them.
 */
export class CircuitBreaker {
  readonly #failuresToOpen: number;
  readonly #openMs: number;
  #failures = 0;
  #openUntil = Number.NEGATIVE_INFINITY;
  /** The call that tries. */
  #trial: object | undefined;

  constructor(failuresToOpen: number, openMs: number) {
    this.#failuresToOpen = failuresToOpen;
    this.#openMs = openMs;
  }

  /** @returns 0 if this call may begin, else the milliseconds until one may */
  take(now: number, call: object): number {
    if (this.#failures < this.#failuresToOpen) return 0;
    if (now < this.#openUntil) return this.#openUntil - now;
    if (this.#trial !== undefined) return this.#openMs;
    this.#trial = call;
    return 0;
  }

  /** A call that was let in has ended; of those that began before it opened none decides about it. */
  ended(now: number, call: object, how: 'success' | 'failure' | 'neither'): void {
    const isTrial = this.#trial === call;
    if (isTrial) this.#trial = undefined;
    else if (this.#failures >= this.#failuresToOpen) return;
    if (how === 'success') this.#failures = 0;
    if (how !== 'failure') return;
    this.#failures++;
    if (this.#failures >= this.#failuresToOpen) this.#openUntil = now + this.#openMs;
  }
}
