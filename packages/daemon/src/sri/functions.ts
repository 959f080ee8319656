import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { Limiter } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import { FunctionPool, type FunctionPoolOptions } from './activator/index.ts';
import type { Backend } from './backends/index.ts';
import type { FunctionRecord, FunctionStore } from './function-store.ts';
import { functionNameOf } from './identity.ts';
import { type FunctionBuilder, Launches, type LaunchesOptions, type Progress } from './launch/index.ts';

/** What happens to functions, for metrics. */
export interface FunctionEvents {
  readonly onCounts: (
    record: FunctionRecord,
    counts: { running: number; starting: number; waiting: number; open: number },
  ) => void;
  readonly onStarted: (record: FunctionRecord, seconds: number, cold: boolean) => void;
  readonly onLost: (record: FunctionRecord) => void;
  readonly onRemoved: (record: FunctionRecord) => void;
}

export interface FunctionsOptions {
  readonly store: FunctionStore;
  readonly builder: FunctionBuilder;
  readonly backend: Backend;
  readonly scaling: Omit<FunctionPoolOptions, 'identifier' | 'start' | 'log' | 'onChange' | 'onStarted' | 'onLost'>;
  readonly launches: Omit<LaunchesOptions, 'log'>;
  /** Instances started at once. */
  readonly startsAtOnce: number;
  readonly maxFunctions: number;
  readonly events: FunctionEvents;
  readonly log: Log;
}

interface Kept {
  record: FunctionRecord;
  readonly pool: FunctionPool;
}

const DECIDE_EVERY_MS = 1000;

/** Every function of this server: launched, looked up, called, removed. */
export class Functions {
  readonly #options: FunctionsOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #launches: Launches;
  readonly #starts: Limiter;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(options: FunctionsOptions) {
    this.#options = options;
    this.#launches = new Launches({ ...options.launches, log: options.log });
    this.#starts = new Limiter(options.startsAtOnce);
  }

  /** Reads what former lives have launched; nothing is started for it. */
  async open(): Promise<void> {
    const { store, backend, log } = this.#options;
    await backend.sweep();
    for (const record of await store.load()) this.#kept.set(record.name, this.#keep(record));
    log.info({ functions: this.#kept.size, backend: backend.name }, 'functions are known');
    this.#timer = setInterval(() => {
      for (const { pool } of this.#kept.values()) if (!pool.asleep) pool.decide();
    }, DECIDE_EVERY_MS);
    this.#timer.unref();
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  get openCalls(): number {
    let open = this.#launches.count;
    for (const { pool } of this.#kept.values()) open += pool.counts.open + pool.counts.waiting;
    return open;
  }

  /** Of what is launched, or being launched. */
  get identifiers(): readonly string[] {
    return [...[...this.#kept.values()].map(({ record }) => record.identifier), ...this.#launches.identifiers];
  }

  /** In the order of their names. */
  list(): readonly FunctionRecord[] {
    return [...this.#kept.values()].map(({ record }) => record).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): { readonly record: FunctionRecord; readonly pool: FunctionPool } | undefined {
    return this.#kept.get(name);
  }

  ofIdentifier(identifier: string): FunctionRecord | undefined {
    return this.#kept.get(functionNameOf(identifier))?.record;
  }

  /** Whether a package may be launched: it is known or being launched already, or there is room for one more function. */
  hasRoomFor(identifier: string): boolean {
    if (this.ofIdentifier(identifier) !== undefined || this.#launches.under(identifier) !== undefined) return true;
    let taken = this.#kept.size;
    for (const launching of this.#launches.identifiers) if (this.ofIdentifier(launching) === undefined) taken++;
    return taken < this.#options.maxFunctions;
  }

  /**
   * Launches a package, or joins its launch. A function that is there already is launched anew: its instances are replaced, and calls go
   * on meanwhile.
   */
  launch(identifier: string, bytes: Uint8Array<ArrayBuffer>): Progress {
    const { backend, builder, store } = this.#options;
    let built: FunctionRecord | undefined;
    return this.#launches.launch(identifier, {
      check: (signal) => backend.check(signal),
      build: async (signal, onStep) => {
        const before = this.ofIdentifier(identifier);
        try {
          built = await builder.build({ identifier, bytes, before, signal, onStep });
        } catch (error) {
          // What cannot be one was refused before anything was kept, and names no directory of ours.
          if (before === undefined && isUniqueIdentifier(identifier)) {
            await store.remove({ name: functionNameOf(identifier) });
            await builder.removeAttempt({ identifier });
          }
          throw error;
        }
      },
      run: async (signal) => {
        if (built === undefined) throw new Error('a function is built before it is run');
        const known = this.#kept.get(built.name);
        const kept = known ?? this.#keep(built);
        kept.record = built;
        try {
          await this.#runAnew(kept, signal);
          await store.save(built);
        } catch (error) {
          // What was there before stays as it was.
          if (known === undefined) {
            await kept.pool.close(AbortSignal.abort());
            await this.#forget(identifier);
          }
          throw error;
        }
        this.#kept.set(built.name, kept);
      },
    });
  }

  /** Ends a function and forgets all of it. */
  async remove(record: FunctionRecord): Promise<void> {
    const kept = this.#kept.get(record.name);
    if (kept === undefined) return;
    const { store, events } = this.#options;
    this.#kept.delete(record.name);
    // Before calls end, which takes its time: it is not there any more, whatever happens meanwhile.
    await store.remove(record);
    await kept.pool.close(AbortSignal.timeout(this.#options.scaling.drainMs));
    await this.#forget(record.identifier);
    events.onRemoved(record);
  }

  /** Removes what is kept of a function that does not run, or never did. */
  async #forget(identifier: string): Promise<void> {
    const { backend, builder, store } = this.#options;
    const target = { name: functionNameOf(identifier), identifier };
    await store.remove(target);
    await backend.remove(target, builder.directoryOf(target));
    await builder.removeEnvironment(target);
  }

  /** No new calls and launches from here on. */
  beginStop(): void {
    this.#stopping = true;
  }

  /** Open calls and launches may finish until `signal` aborts. Resolves when nothing runs any more. */
  async close(signal: AbortSignal): Promise<void> {
    this.beginStop();
    clearInterval(this.#timer);
    await this.#launches.close(signal);
    await Promise.all([...this.#kept.values()].map(({ pool }) => pool.close(signal)));
    await this.#options.backend.close();
  }

  async #runAnew({ record, pool }: Kept, signal: AbortSignal): Promise<void> {
    const { builder, log } = this.#options;
    const wasRunning = pool.counts.running > 0;
    try {
      await pool.replace(signal);
    } catch (error) {
      // Launching again is how operators repair: an environment that nothing runs on is made anew, once.
      if (wasRunning || signal.aborted || !this.#kept.has(record.name)) throw error;
      log.warn(
        { plugin: record.identifier },
        'an instance of a known function does not start: its environment is made anew',
      );
      await builder.removeEnvironment(record);
      await pool.replace(signal);
    }
  }

  #keep(record: FunctionRecord): Kept {
    const { scaling, events, log } = this.#options;
    const kept: Kept = {
      record,
      pool: new FunctionPool({
        ...scaling,
        identifier: record.identifier,
        start: (signal) => this.#start(kept.record, signal),
        log,
        onChange: (counts) => events.onCounts(record, counts),
        onStarted: (seconds, cold) => events.onStarted(record, seconds, cold),
        onLost: () => events.onLost(record),
      }),
    };
    return kept;
  }

  async #start(record: FunctionRecord, signal: AbortSignal) {
    const { builder, backend } = this.#options;
    const built = await builder.prepare(record, signal);
    return await this.#starts.run(signal, () => backend.start({ function: built, signal }));
  }
}
