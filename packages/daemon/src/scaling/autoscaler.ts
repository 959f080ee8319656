import { LoadWindow } from './load-window.ts';

/** How something scales. Times are milliseconds. */
export interface ScalingRule {
  readonly min: number;
  /** At least 1, and at least `min`. */
  readonly max: number;
  /** Open calls for which one instance is meant. */
  readonly target: number;
  /** Without a call for this long nothing above `min` is wanted; undefined: one instance stays for ever. */
  readonly idleMs: number | undefined;
  /** What decides while nothing special happens; the time after which a burst is over. */
  readonly stableMs?: number;
  /** What decides in a burst. */
  readonly burstMs?: number;
  /** A burst begins when the burst window wants so many times more than there is. */
  readonly burstFactor?: number;
}

export interface Load {
  /** Calls that instances work on. */
  readonly open: number;
  /** Calls that wait for an instance. */
  readonly waiting: number;
  /** Instances that run or start. */
  readonly instances: number;
  /** How much longer calls take than when nothing keeps them waiting (`LatencyTrend`). */
  readonly slowdown?: number;
}

/** From here on an instance is taken to be the reason for calls that take long. */
const SLOW = 2;

/**
 * How many instances are wanted, as Knative's autoscaler decides it: the average of the open calls over a stable window, divided by what
 * one instance is meant to bear. Calls that wait, or a short window that wants a multiple of what there is, are a burst: the larger of
 * both windows counts then, and nothing is taken away until a stable window after the last sign of it. Calls that take longer the more of
 * them there are show that an instance bears less than was meant.
 */
export class Autoscaler {
  readonly #rule: Required<ScalingRule>;
  readonly #stable: LoadWindow;
  readonly #burst: LoadWindow;
  #lastLoad: number | undefined;
  #burstUntil = Number.NEGATIVE_INFINITY;

  constructor(rule: ScalingRule) {
    this.#rule = { stableMs: 60_000, burstMs: 6_000, burstFactor: 2, ...rule };
    this.#stable = new LoadWindow(this.#rule.stableMs);
    this.#burst = new LoadWindow(this.#rule.burstMs, 12);
  }

  get rule(): ScalingRule {
    return this.#rule;
  }

  /** A call came or went: idle time begins anew. Not needed for calls that are open when `decide` is asked. */
  used(now: number): void {
    this.#lastLoad = Math.max(now, this.#lastLoad ?? now);
  }

  /**
   * The wanted number of instances. Meant to be asked about once a second, and whenever a call has to wait.
   * @param now milliseconds of a clock that does not go back
   */
  decide(now: number, { open, waiting, instances, slowdown = 1 }: Load): number {
    const { min, max, burstMs, stableMs, burstFactor } = this.#rule;
    const calls = open + waiting;
    this.#stable.record(now, calls);
    this.#burst.record(now, calls);
    if (calls > 0 || this.#lastLoad === undefined) this.used(now);

    const target = this.#targetNow(slowdown, instances);
    const stable = Math.ceil(round(this.#stable.average(now)) / target);
    const burst = Math.ceil(round(this.#burst.average(now)) / target);
    if (waiting > 0 || (instances > 0 && burst >= burstFactor * instances && burstMs < stableMs))
      this.#burstUntil = now + stableMs;
    let wanted = stable;
    if (now < this.#burstUntil)
      wanted = Math.max(stable, burst, instances, waiting > 0 ? Math.ceil(calls / target) : 0);
    // One is needed while anything is open, and stays for a while after it.
    const least = calls > 0 || (instances > 0 && !this.#isIdle(now)) ? 1 : 0;
    // What burst windows and averages remember does not keep idle instances.
    if (calls === 0 && this.#isIdle(now)) wanted = 0;
    return Math.min(max, Math.max(min, least, wanted));
  }

  /** What one instance bears: less than meant while its calls get in each other's way. */
  #targetNow(slowdown: number, instances: number): number {
    const { target } = this.#rule;
    if (slowdown < SLOW || instances === 0) return target;
    return Math.max(1, target / slowdown);
  }

  #isIdle(now: number): boolean {
    const { idleMs } = this.#rule;
    return idleMs !== undefined && this.#lastLoad !== undefined && now - this.#lastLoad >= idleMs;
  }
}

/** Sums of fractions are not exact, and a ten-millionth of a call is no reason to start a process. */
const round = (calls: number): number => Math.round(calls * 1e6) / 1e6;
