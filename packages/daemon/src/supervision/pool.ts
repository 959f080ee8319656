import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { Autoscaler, LatencyTrend, leastLoaded } from '../scaling/index.ts';
import { InstanceSlot, type InstanceSlotOptions, type PluginState } from './instance-slot.ts';
import type { Asker } from './limiter.ts';
import type { PoolPolicy } from './policy.ts';
import { overloaded, stopped } from './pool-errors.ts';
import { WaitingCalls } from './waiting-calls.ts';

export interface PoolOptions extends Omit<InstanceSlotOptions, 'onState'> {
  readonly policy: PoolPolicy;
  /** The state of the whole. */
  readonly onState: (state: PluginState) => void;
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number;
}

/** Of the whole the best that one of its instances is in. */
const best: readonly PluginState[] = ['running', 'starting', 'waiting'];

/** A call waits this long for an instance that starts beside others; then it goes to one that has more to do than was meant. */
const OVERFLOW_MS = 2000;
/** After an instance that was to run beside others failed, no other one is tried for this long. */
const NO_GROWTH_MS = 30_000;

/** An instance that takes calls. */
interface Ready {
  readonly slot: InstanceSlot;
  readonly instance: PluginInstance;
  /** Calls that were given it in this turn of the event loop and have not opened their session yet. */
  promised: number;
  /** Another one is started in its place: as long as that may come up, it gets no calls. */
  replaced: boolean;
}

const loadOf = ({ instance, promised, replaced }: Ready): number =>
  replaced || instance.dead ? Number.POSITIVE_INFINITY : instance.load + promised;
const forever = new AbortController().signal;

/**
 * The instances of one plugin version: from none to as many as its policy allows. A call goes to the one with the least to do; while all
 * have more to do than was meant it waits for another one. What was not needed for a while stops, the last one too, and a call wakes it.
 * There is one pool for each identifier; it alone starts and stops this version's instances.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #now: () => number;
  /** Those that are kept running. */
  #slots: InstanceSlot[] = [];
  /** Those that finish what they have open, and end. */
  readonly #leaving = new Set<Promise<void>>();
  #ready: Ready[] = [];
  readonly #waiting: WaitingCalls;
  readonly #trend = new LatencyTrend();
  #policy: PoolPolicy;
  #scaler: Autoscaler;
  #state: PluginState = 'asleep';
  #retired = false;
  /** Counts calls, so that instances with the same load take turns. */
  #calls = 0;
  /** Of `#calls` when it was looked at last. */
  #callsSeen = 0;
  /** Up to this load an instance is given calls without a second thought. */
  #roomy = 0;
  #noGrowthUntil = Number.NEGATIVE_INFINITY;
  #overflow: NodeJS.Timeout | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#policy = options.policy;
    this.#scaler = new Autoscaler(options.policy);
    this.#waiting = new WaitingCalls();
  }

  get state(): PluginState {
    return this.#state;
  }

  get policy(): PoolPolicy {
    return this.#policy;
  }

  /** Instances that are kept running, whether they are up or not. */
  get instances(): number {
    return this.#slots.length;
  }

  /** Calls that instances work on. */
  get open(): number {
    return this.#ready.reduce((sum, { instance }) => sum + instance.load, 0);
  }

  /** Calls that wait for an instance. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /** Text of the last failure while nothing runs because of it. */
  get problem(): string | undefined {
    if (this.#state === 'running') return undefined;
    return this.#slots.find((slot) => slot.problem !== undefined)?.problem;
  }

  /** What is wanted changed; it shows at the next `tick`. */
  set policy(policy: PoolPolicy) {
    this.#policy = policy;
    this.#scaler = new Autoscaler(policy);
    this.#refresh();
  }

  /** The instance for a new call, if there is one that has room for it. */
  pick(): PluginInstance | undefined {
    if (this.#waiting.count > 0) return undefined;
    const found = this.#choose(this.#roomy);
    if (found !== undefined) this.#calls++;
    return found?.instance;
  }

  /**
   * The instance for a new call. Waits while there is none with room for it, behind those who asked before; what does not run is started.
   * @throws the error of the start, if nothing runs; DaemonError `overloaded` if too many wait; the signal's reason
   */
  async acquire(signal: AbortSignal): Promise<PluginInstance> {
    const ready = this.pick();
    if (ready !== undefined) return ready;
    signal.throwIfAborted();
    if (this.#retired) throw stopped();
    const { queue } = this.#policy;
    if (this.#waiting.count >= queue) throw overloaded(this.#options.identifier, this.#ready.length, this.#policy);
    this.#calls++;
    const turn = this.#waiting.add(signal);
    this.#overflow ??= setTimeout(() => this.#overflowed(), OVERFLOW_MS).unref();
    this.#adjust();
    return await turn;
  }

  /**
   * Makes the version run, whether there are calls for it or not. Starts under way are joined; they go on when the asker leaves, as others
   * may wait.
   * @throws the error of the start; the signal's reason
   */
  async ensure(signal: AbortSignal, options?: Parameters<InstanceSlot['ensure']>[1]): Promise<PluginInstance> {
    const [ready] = this.#ready;
    if (ready !== undefined) return ready.instance;
    signal.throwIfAborted();
    const slot = this.#slots[0] ?? this.#add();
    this.#scaler.used(this.#now());
    return await slot.ensure(signal, options);
  }

  /**
   * Looks at what there is to do, and starts or stops instances accordingly; meant to be called once a second.
   * @returns whether there were calls since the last time
   */
  tick(): boolean {
    if (this.#retired) return false;
    const used = this.#calls !== this.#callsSeen;
    this.#callsSeen = this.#calls;
    if (used) this.#scaler.used(this.#now());
    // Asleep: nothing to look at.
    if (used || this.#slots.length > 0 || this.#policy.min > 0) this.#adjust();
    return used;
  }

  /**
   * Stops for good: no new calls, open ones may finish, then the instances end. Resolves when they have.
   * @param signal aborts the waiting for open calls
   */
  async retire(signal?: AbortSignal): Promise<void> {
    this.#retired = true;
    clearTimeout(this.#overflow);
    this.#waiting.fail(stopped());
    for (const slot of [...this.#slots]) this.#release(slot, signal);
    await Promise.all(this.#leaving);
    this.#setState('stopped');
  }

  #adjust(): void {
    const now = this.#now();
    const open = this.#ready.reduce((sum, { instance, promised }) => sum + instance.load + promised, 0);
    const wanted = this.#scaler.decide(now, {
      open,
      waiting: this.#waiting.count,
      instances: this.#slots.length,
      slowdown: this.#trend.slowdown,
    });
    const background = this.#waiting.count === 0;
    if (this.#slots.length === 0 || now >= this.#noGrowthUntil)
      while (this.#slots.length < wanted) this.#begin(this.#add(), background ? 'nobody' : 'call');
    // Whoever waits does not wait for the end of a pause between two starts.
    if (!background && this.#ready.length === 0)
      for (const slot of this.#slots) if (!slot.hurry()) this.#begin(slot, 'call');
    while (this.#slots.length > wanted && !this.#ready.some((one) => one.replaced)) {
      const least = leastLoaded(this.#ready, loadOf);
      // What starts will be needed less when it is there; what failed uses nothing, and is worth to be known.
      if (least === undefined) break;
      this.#release(least.slot);
      const { identifier: plugin, log } = this.#options;
      log.info(
        { plugin, instances: this.#slots.length },
        this.#slots.length === 0 ? 'plugin sleeps until it is called' : 'plugin instance is not needed any more',
      );
    }
    this.#refresh();
  }

  #add(): InstanceSlot {
    const slot: InstanceSlot = new InstanceSlot({ ...this.#options, onState: () => this.#changed(slot) });
    this.#slots.push(slot);
    return slot;
  }

  #begin(slot: InstanceSlot, asker: Asker | 'nobody'): void {
    // Of a failure the slot tells by its state, in `#changed`; one that is not repeated so soon only here.
    slot.ensure(forever, { asker }).catch((error: unknown) => this.#failed(slot, error));
  }

  /** Something about a slot is not as it was. */
  #changed(slot: InstanceSlot): void {
    const { instance } = slot;
    const at = this.#ready.findIndex((one) => one.slot === slot);
    if (at >= 0 && this.#ready[at]?.instance !== instance) this.#ready.splice(at, 1);
    if (instance !== undefined && this.#slots.includes(slot) && !this.#ready.some((one) => one.slot === slot)) {
      this.#ready.push({ slot, instance, promised: 0, replaced: false });
      instance.watch({
        closed: () => this.#serve(this.#roomy),
        answered: (kind, ms) => this.#trend.record(kind, ms),
        stuck: (reason) => this.#replace(slot, reason),
      });
    }
    // Beside others it is not needed so much that it would be tried over and over.
    if (slot.state === 'waiting' && slot.startFailed && this.#slots.length > 1 && this.#slots.includes(slot)) {
      this.#noGrowthUntil = this.#now() + NO_GROWTH_MS;
      this.#release(slot);
    }
    // A call that waits does not wait for the end of a pause.
    if (slot.state === 'waiting' && !slot.startFailed && this.#waiting.count > 0 && this.#ready.length === 0)
      this.#begin(slot, 'call');
    this.#refresh();
  }

  #failed(slot: InstanceSlot, error: unknown): void {
    if (this.#ready.length > 0 || this.#slots.some((one) => one !== slot && one.state === 'starting')) return;
    if (slot.state !== 'starting') this.#waiting.fail(error);
  }

  /** It works on something and does not say a word: another one takes its place, and it may finish what it has. */
  #replace(slot: InstanceSlot, reason: string): void {
    const old = this.#ready.find((one) => one.slot === slot);
    if (this.#retired || old === undefined || old.replaced) return;
    old.replaced = true;
    this.#options.log.warn({ plugin: this.#options.identifier, reason }, 'plugin instance is replaced');
    const next = this.#add();
    next
      .ensure(forever)
      .then(() => {
        this.#options.onRestarted?.();
        this.#release(slot);
      })
      .catch((error: unknown) => {
        // The old one goes on: it may come to itself, and is ended when it is hopeless.
        old.replaced = false;
        this.#options.log.warn({ plugin: this.#options.identifier, error }, 'plugin instance could not be replaced');
        this.#refresh();
      });
    this.#refresh();
  }

  /** Lets one finish and end, in the background. */
  #release(slot: InstanceSlot, signal?: AbortSignal): void {
    this.#slots = this.#slots.filter((one) => one !== slot);
    this.#ready = this.#ready.filter((one) => one.slot !== slot);
    const leaving = slot
      .retire(signal)
      .catch((error: unknown) =>
        this.#options.log.error({ plugin: this.#options.identifier, error }, 'plugin could not be stopped'),
      )
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  #choose(upTo: number): Ready | undefined {
    const [only] = this.#ready;
    const least = this.#ready.length === 1 ? only : leastLoaded(this.#ready, loadOf, this.#calls);
    return least !== undefined && loadOf(least) < upTo ? least : undefined;
  }

  /** Gives calls that wait to instances that have room. */
  #serve(upTo: number): void {
    if (this.#waiting.count === 0 && this.#overflow === undefined) return;
    while (this.#waiting.count > 0) {
      const found = this.#choose(upTo);
      if (found === undefined) return;
      this.#waiting.next()?.(found.instance);
      if (found.promised++ === 0)
        setImmediate(() => {
          found.promised = 0;
          this.#serve(this.#roomy);
        });
    }
    clearTimeout(this.#overflow);
    this.#overflow = undefined;
  }

  #overflowed(): void {
    this.#overflow = undefined;
    this.#serve(this.#policy.limit);
    if (this.#waiting.count > 0 && !this.#retired)
      this.#overflow = setTimeout(() => this.#overflowed(), OVERFLOW_MS).unref();
  }

  /** What follows from the slots. */
  #refresh(): void {
    const { max, target, limit } = this.#policy;
    const grows =
      this.#slots.some((slot) => slot.state === 'starting') ||
      (this.#slots.length < max && this.#now() >= this.#noGrowthUntil);
    this.#roomy = grows && max > 1 ? Math.min(target, limit) : limit;
    if (!this.#retired) this.#setState(best.find((one) => this.#slots.some((slot) => slot.state === one)) ?? 'asleep');
    this.#serve(this.#roomy);
  }

  #setState(state: PluginState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
