import { messageOf } from '@plugin-daemon/values';
import { Autoscaler, leastLoaded, type ScalingRule } from '../../scaling/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { FunctionInstance } from '../backends/index.ts';
import { FunctionError } from '../function-error.ts';
import { connectTo, FunctionSlot } from './function-slot.ts';
import { WaitingLine } from './waiting-line.ts';

export interface FunctionPoolOptions {
  /** Of the function, for the log. */
  readonly identifier: string;
  /** Starts one instance; resolves when it answers. */
  readonly start: (signal: AbortSignal) => Promise<FunctionInstance>;
  readonly rule: ScalingRule;
  /** Calls that one instance is given at most. */
  readonly callsPerInstance: number;
  readonly queueLimit: number;
  readonly queueTimeoutMs: number;
  /** How long open calls may go on in an instance that is to end. */
  readonly drainMs: number;
  readonly healthEveryMs: number;
  readonly log: Log;
  readonly onChange: (counts: PoolCounts) => void;
  /** An instance is ready; how long its start took, and whether a call had waited for it. */
  readonly onStarted: (seconds: number, cold: boolean) => void;
  /** An instance ended that nobody had told to. */
  readonly onLost: () => void;
}

export interface PoolCounts {
  readonly running: number;
  readonly starting: number;
  readonly waiting: number;
  readonly open: number;
}

/** A place on an instance, for one call. */
export interface Place {
  readonly slot: FunctionSlot;
  release(): void;
}

/** After a start that failed the next one waits, longer each time; who asks meanwhile is told why. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** The instances of one function: from none to many by demand. It alone starts and ends them. */
export class FunctionPool {
  readonly #options: FunctionPoolOptions;
  readonly #scaler: Autoscaler;
  readonly #line: WaitingLine<Place>;
  readonly #closed = new AbortController();
  /** Ends the waiting for open calls. */
  readonly #hurry = new AbortController();
  readonly #ending = new Set<Promise<void>>();
  #slots: FunctionSlot[] = [];
  #starting = 0;
  #turn = 0;
  #failures = 0;
  #failedAt = 0;
  #failure: unknown;
  #lookedAt = 0;

  constructor(options: FunctionPoolOptions) {
    this.#options = options;
    this.#scaler = new Autoscaler(options.rule);
    this.#line = new WaitingLine(options.queueLimit, options.queueTimeoutMs);
  }

  get counts(): PoolCounts {
    let open = 0;
    for (const slot of this.#slots) open += slot.open;
    return { running: this.#slots.length, starting: this.#starting, waiting: this.#line.length, open };
  }

  /** Nothing runs, starts or waits: there is nothing to decide. */
  get asleep(): boolean {
    return this.#slots.length === 0 && this.#starting === 0 && this.#line.length === 0 && this.#options.rule.min === 0;
  }

  /**
   * A place on the instance with the least to do; waits for one to start where there is none.
   * @throws FunctionError; the signal's reason
   */
  async enter(signal: AbortSignal): Promise<Place> {
    if (this.#closed.signal.aborted) throw stopping();
    this.#scaler.used(performance.now());
    const slot = this.#pick();
    if (slot !== undefined) return this.#placeOn(slot);
    if (this.#slots.length === 0 && this.#starting === 0) this.#refuseWhileFailing();
    const waiting = this.#line.wait(signal);
    this.decide();
    return await waiting;
  }

  /** What an instance is needed for is decided anew. Asked once a second while anything runs, and when a call has to wait. */
  decide(): void {
    if (this.#closed.signal.aborted) return;
    const now = performance.now();
    const { open, waiting } = this.counts;
    const usable = this.#slots.filter((slot) => !slot.suspect && !slot.retiring);
    const instances = usable.length + this.#starting;
    const wanted = this.#scaler.decide(now, { open, waiting, instances });
    for (let missing = wanted - instances; missing > 0; missing--) this.#start();
    if (wanted < usable.length && waiting === 0) {
      const spare = leastLoaded(usable, (slot) => slot.open);
      // One at a time: what was wanted a second ago may be wanted again.
      if (spare !== undefined) this.#retire(spare, 'it is not needed any more');
    }
    this.#look(now);
    this.#changed();
  }

  /** Starts an instance if there is none, and keeps it. @throws what the start failed with; the signal's reason */
  async probe(signal: AbortSignal): Promise<void> {
    const instance = await this.#launch(signal);
    this.#scaler.used(performance.now());
    await this.#admit(instance);
  }

  /** Replaces what runs: the new instance is ready before the old ones are let go. @throws as probe; the old ones stay then */
  async replace(signal: AbortSignal): Promise<void> {
    const old = this.#slots.filter((slot) => !slot.retiring);
    await this.probe(signal);
    for (const slot of old) this.#retire(slot, 'the function was launched again');
  }

  /** Nothing is taken any more; open calls may finish until `signal` aborts. Resolves when every instance has ended. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closed.abort(stopping());
    this.#line.refuseAll(stopping());
    const hurry = () => this.#hurry.abort();
    if (signal.aborted) hurry();
    else signal.addEventListener('abort', hurry, { once: true });
    for (const slot of this.#slots) this.#retire(slot, 'the server is stopping');
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    signal.removeEventListener('abort', hurry);
  }

  #pick(): FunctionSlot | undefined {
    const free = this.#slots.filter(
      (slot) => !slot.retiring && !slot.suspect && slot.open < this.#options.callsPerInstance,
    );
    return leastLoaded(free, (slot) => slot.open, this.#turn++);
  }

  #placeOn(slot: FunctionSlot): Place {
    const leave = slot.enter();
    return {
      slot,
      release: () => {
        leave();
        this.#scaler.used(performance.now());
        this.#fill();
      },
    };
  }

  /** Gives free places to those who wait. */
  #fill(): void {
    while (this.#line.length > 0) {
      const slot = this.#pick();
      if (slot === undefined) return;
      if (!this.#line.admit(this.#placeOn(slot))) return;
    }
  }

  #refuseWhileFailing(): void {
    if (this.#failures === 0) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    const left = this.#failedAt + pause - performance.now();
    if (left > 0) throw startFailed(this.#failure, Math.ceil(left / 1000));
  }

  #start(): void {
    const cold = this.#line.length > 0;
    const startedAt = performance.now();
    const done = this.#launch(this.#closed.signal)
      .then(async (instance) => {
        await this.#admit(instance);
        this.#options.onStarted((performance.now() - startedAt) / 1000, cold);
      })
      .catch((error: unknown) => this.#failed(error));
    this.#end(done);
  }

  async #launch(signal: AbortSignal): Promise<FunctionInstance> {
    this.#starting++;
    this.#changed();
    try {
      return await this.#options.start(AbortSignal.any([signal, this.#closed.signal]));
    } finally {
      this.#starting--;
    }
  }

  async #admit(instance: FunctionInstance): Promise<void> {
    const slot = new FunctionSlot(instance, await connectTo(instance));
    this.#failures = 0;
    this.#slots.push(slot);
    this.#options.log.info({ plugin: this.#options.identifier, ...instance.facts }, 'an instance is ready');
    this.#end(this.#watch(slot));
    if (this.#closed.signal.aborted) await slot.drain(AbortSignal.abort(), 'the server is stopping');
    this.#fill();
    this.#changed();
  }

  async #watch(slot: FunctionSlot): Promise<void> {
    const { text } = await slot.instance.ended;
    this.#slots = this.#slots.filter((one) => one !== slot);
    await slot.connections.destroy().catch(() => undefined);
    if (!slot.retiring) {
      this.#options.log.warn({ plugin: this.#options.identifier, error: text }, 'an instance ended');
      this.#options.onLost();
      // Those it served are told by their broken connections; those who wait, and the load, want another one.
      this.decide();
    }
    this.#changed();
  }

  #failed(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#failures++;
    this.#failedAt = performance.now();
    this.#failure = error;
    this.#options.log.warn(
      { plugin: this.#options.identifier, failures: this.#failures, error: messageOf(error) },
      'an instance could not be started',
    );
    if (this.#slots.length === 0 && this.#starting === 0) this.#line.refuseAll(startFailed(error, 1));
    this.#changed();
  }

  /** Health checks. One that is stuck is replaced first and drained then. */
  #look(now: number): void {
    if (now - this.#lookedAt < this.#options.healthEveryMs) return;
    this.#lookedAt = now;
    for (const slot of this.#slots) {
      if (slot.retiring) continue;
      const replaced = this.#slots.some((other) => !other.suspect && !other.retiring);
      if (slot.suspect && (slot.open === 0 || replaced)) this.#retire(slot, 'it does not answer health checks');
      else
        this.#end(
          slot.look().then((changed) => {
            if (!changed) return;
            const fields = { plugin: this.#options.identifier, ...slot.instance.facts, suspect: slot.suspect };
            this.#options.log.warn(fields, 'an instance answers health checks no more, or again');
            this.#fill();
            this.decide();
          }),
        );
    }
  }

  /** No more calls for it; when its last one is over, or has had long enough, it ends. */
  #retire(slot: FunctionSlot, reason: string): void {
    if (slot.retiring) return;
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#options.drainMs);
    const drained = slot.drain(AbortSignal.any([limit.signal, this.#hurry.signal]), reason);
    this.#end(drained.finally(() => clearTimeout(timer)));
  }

  /** Work that is under way; whoever closes the pool waits for it. */
  #end(work: Promise<unknown>): void {
    const done: Promise<void> = work
      .then(
        () => undefined,
        (error: unknown) =>
          this.#options.log.error({ plugin: this.#options.identifier, error }, 'the pool of a function failed'),
      )
      .finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }

  #changed(): void {
    this.#options.onChange(this.counts);
  }
}

const startFailed = (cause: unknown, retryAfter: number): FunctionError =>
  new FunctionError('FunctionStartFailed', messageOf(cause), { retryAfter, cause });

export const stopping = (): FunctionError =>
  new FunctionError('FunctionUnavailable', 'this server is stopping: try again', { retryAfter: 1 });
