import { Autoscaler, leastLoaded, type PoolPolicy } from '@plugin-daemon/daemon/decisions';
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';
import { transport } from './options.ts';

export interface PoolParts {
  readonly clock: Clock;
  readonly policy: PoolPolicy;
  readonly startMs: number;
  /** An instance begins to start. */
  readonly onStart: () => void;
  /** An instance takes no memory any more. */
  readonly onGone: () => void;
  /** One is ready, or none is any more. */
  readonly onReady: (ready: boolean) => void;
  /** A call came to its end. */
  readonly onDone: (call: Call) => void;
}

interface Instance {
  load: number;
  leaving: boolean;
}

const loadOf = ({ load }: Instance): number => load;

/** The instances of one plugin on one node: as many as the daemon's autoscaler wants, and calls as its pool gives them out. */
export class SimulatedPool {
  readonly #parts: PoolParts;
  readonly #scaler: Autoscaler;
  #ready: Instance[] = [];
  readonly #waiting: Call[] = [];
  #starting = 0;
  /** Instances that finish what they have. */
  #leaving = 0;
  #calls = 0;
  #overflow: (() => void) | undefined;
  #closed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    this.#scaler = new Autoscaler(parts.policy);
  }

  get ready(): boolean {
    return this.#ready.length > 0;
  }

  /** Nothing runs, starts, ends or waits. */
  get asleep(): boolean {
    return this.#ready.length + this.#starting + this.#leaving + this.#waiting.length === 0;
  }

  /** @returns false: too many wait */
  take(call: Call): boolean {
    this.#calls++;
    this.#scaler.used(this.#parts.clock.now);
    if (this.#waiting.length === 0 && this.#give(call, this.#roomy())) return true;
    if (this.#waiting.length >= this.#parts.policy.queue) return false;
    this.#waiting.push(call);
    this.#overflow ??= this.#parts.clock.after(transport.overflow, () => this.#overflowed());
    this.tick();
    return true;
  }

  /** One is to be ready, though nobody calls. */
  ensure(): void {
    this.#scaler.used(this.#parts.clock.now);
    if (this.#ready.length + this.#starting === 0) this.#start();
  }

  /** Starts and stops instances; once a second, and when a call waits. */
  tick(): void {
    const { clock } = this.#parts;
    const open = this.#ready.reduce((sum, { load }) => sum + load, 0);
    const instances = this.#ready.length + this.#starting;
    const wanted = this.#scaler.decide(clock.now, { open, waiting: this.#waiting.length, instances });
    for (let n = instances; n < wanted; n++) this.#start();
    while (this.#ready.length + this.#starting > wanted) {
      const least = leastLoaded(this.#ready, loadOf);
      if (least === undefined) break;
      this.#release(least);
    }
  }

  /** The node is gone; nothing more happens here. */
  close(): void {
    this.#closed = true;
    this.#overflow?.();
  }

  #start(): void {
    const { clock, startMs, onStart, onReady } = this.#parts;
    this.#starting++;
    onStart();
    clock.after(startMs, () => {
      if (this.#closed) return;
      this.#starting--;
      this.#ready.push({ load: 0, leaving: false });
      if (this.#ready.length === 1) onReady(true);
      this.#serve(this.#roomy());
    });
  }

  #release(one: Instance): void {
    one.leaving = true;
    this.#ready = this.#ready.filter((other) => other !== one);
    if (one.load === 0) this.#parts.onGone();
    else this.#leaving++;
    if (this.#ready.length === 0) this.#parts.onReady(false);
  }

  /** Up to this load an instance is given calls without a second thought. */
  #roomy(): number {
    const { max, target, limit } = this.#parts.policy;
    const grows = this.#starting > 0 || this.#ready.length < max;
    return grows && max > 1 ? Math.min(target, limit) : limit;
  }

  #give(call: Call, upTo: number): boolean {
    const one = leastLoaded(this.#ready, loadOf, this.#calls);
    if (one === undefined || one.load >= upTo) return false;
    one.load++;
    this.#parts.clock.after(call.workMs, () => {
      if (this.#closed) return;
      one.load--;
      if (one.leaving && one.load === 0) {
        this.#leaving--;
        this.#parts.onGone();
      }
      this.#parts.onDone(call);
      this.#serve(this.#roomy());
    });
    return true;
  }

  #serve(upTo: number): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (first === undefined || !this.#give(first, upTo)) return;
      this.#waiting.shift();
    }
    this.#overflow?.();
    this.#overflow = undefined;
  }

  #overflowed(): void {
    this.#overflow = undefined;
    this.#serve(this.#parts.policy.limit);
    if (this.#waiting.length > 0 && !this.#closed)
      this.#overflow = this.#parts.clock.after(transport.overflow, () => this.#overflowed());
  }
}
