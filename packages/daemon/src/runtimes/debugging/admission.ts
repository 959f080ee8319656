/** Counts per address over a window of time, with a bound on the addresses that are remembered. */
const windowMs = 60_000;
const maxAddresses = 10_000;

export interface AdmissionLimits {
  /** Connections of one address that have not registered yet. */
  readonly unregisteredPerAddress: number;
  /** Connections in all that have not registered yet. */
  readonly unregistered: number;
  /** Failed handshakes of one address in one minute. */
  readonly failuresPerMinute: number;
}

/** Decides who may begin a handshake: strangers get little room, and one that fails on and on has to wait. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #waiting = new Map<string, number>();
  #waitingInAll = 0;
  readonly #failures = new Map<string, { count: number; until: number }>();

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** @returns what gives the place back (idempotent), or undefined when there is none. */
  enter(address: string): (() => void) | undefined {
    const of = this.#waiting.get(address) ?? 0;
    if (of >= this.#limits.unregisteredPerAddress || this.#waitingInAll >= this.#limits.unregistered) return undefined;
    const failed = this.#failures.get(address);
    if (failed !== undefined && failed.until > Date.now() && failed.count >= this.#limits.failuresPerMinute)
      return undefined;
    this.#waiting.set(address, of + 1);
    this.#waitingInAll++;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#waitingInAll--;
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(address);
      else this.#waiting.set(address, left);
    };
  }

  /** A handshake of this address failed. */
  failed(address: string): void {
    const now = Date.now();
    const known = this.#failures.get(address);
    if (known !== undefined && known.until > now) known.count++;
    else {
      this.#failures.delete(address);
      this.#failures.set(address, { count: 1, until: now + windowMs });
    }
    for (const [oldest, { until }] of this.#failures) {
      if (until > now && this.#failures.size <= maxAddresses) break;
      this.#failures.delete(oldest);
    }
  }
}
