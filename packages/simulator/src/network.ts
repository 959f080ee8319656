import type { Clock } from './clock.ts';

/** Who reaches whom: nodes are on one of two sides, and the way between the sides, or from the second one to Redis, may be cut. */
export class Network {
  readonly #clock: Clock;
  readonly #farSide = new Set<string>();
  #cut: 'sides' | 'redis' | undefined;
  /** When it was cut or healed last. */
  changedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  cut(what: 'sides' | 'redis', farSide: Iterable<string>): void {
    this.#cut = what;
    this.changedAt = this.#clock.now;
    this.#farSide.clear();
    for (const id of farSide) this.#farSide.add(id);
  }

  heal(): void {
    this.#cut = undefined;
    this.changedAt = this.#clock.now;
  }

  reach(one: string, other: string): boolean {
    return this.#cut !== 'sides' || this.#farSide.has(one) === this.#farSide.has(other);
  }

  reachesRedis(id: string): boolean {
    return this.#cut !== 'redis' || !this.#farSide.has(id);
  }

  /** How long the present cut has lasted. */
  get silentMs(): number {
    return this.#cut === undefined ? 0 : this.#clock.now - this.changedAt;
  }
}
