import { isDeepStrictEqual } from 'node:util';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import { Claims } from './claims.ts';
import type { Claim, LocalPlugins } from './contract.ts';
import type { PluginState, StartInstance } from './instance-slot.ts';
import { Limiter } from './limiter.ts';
import type { PoolPolicy } from './policy.ts';
import { Pool } from './pool.ts';
import type { RecentUse } from './recent-use.ts';

export interface LocalSupervisorOptions {
  /** Builds and starts one instance; resolves when it is ready. */
  readonly start: (identifier: string, options: Parameters<StartInstance>[0]) => Promise<PluginInstance>;
  /** The plugins that should run on this node: those that some tenant has installed. */
  readonly desired: () => Promise<readonly string[]>;
  /** Whether one plugin should run here. */
  readonly isDesired: (identifier: string) => Promise<boolean>;
  readonly drainSeconds: number;
  /** How the instances of a version are kept. */
  readonly policyOf: (identifier: string) => PoolPolicy;
  /** Asked before every look at the desired state. */
  readonly lookAtPolicies?: () => Promise<void>;
  /** When versions were used last, on this node; without it none is known to have been. */
  readonly recentUse?: Pick<RecentUse, 'lastUse' | 'used' | 'forget' | 'save'>;
  /** Plugins that are woken at the same time although nobody waits for them. */
  readonly wakesAtOnce?: number;
  /** A call was refused because too many wait. */
  readonly onOverloaded?: (identifier: string) => void;
  /** After the beginning nothing is woken for so long that nobody waits for: whoever calls at once has the machine. */
  readonly wakeAfterMs?: number;
  /** Between two looks at the desired state. */
  readonly lookEveryMs: number;
  readonly log: Log;
  readonly onState: (identifier: string, state: PluginState) => void;
  /** A process runs in place of one that had ended or was stuck. */
  readonly onRestarted?: ((identifier: string) => void) | undefined;
  /** How many instances of a version are kept and how many calls wait for one; told when it has changed, about once a second. */
  readonly onLoad?: (identifier: string, load: PoolLoad) => void;
  /** A version is not wanted here any more, and its processes have ended; not told when the daemon stops. */
  readonly onRetired?: (identifier: string) => Promise<void>;
}

export interface PoolLoad {
  readonly instances: number;
  readonly waiting: number;
}

const nothing: PoolLoad = { instances: 0, waiting: 0 };

/** A plugin has to be missing from the desired state this often in a row before it is stopped (docs/wire/lifecycle.md#supervision). */
const MISSING_LOOKS = 2;
/** Between two looks at what plugins have to do. */
const TICK_MS = 1000;
/** Between two writes of what was used when. */
const SAVE_TICKS = 60;
/** Changes of what is installed come in bunches. */
const SOON_MS = 100;

/** Brings what runs on this machine in line with what is claimed: a pool for each version (docs/wire/lifecycle.md#supervision). */
export class LocalSupervisor implements LocalPlugins {
  readonly #options: LocalSupervisorOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #claims = new Claims();
  /** As it was told last; without those that have none. */
  readonly #loads = new Map<string, PoolLoad>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #wakes: Limiter;
  #mayWake: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #ticks = 0;
  #soon: NodeJS.Timeout | undefined;
  #closed = new AbortController();

  constructor(options: LocalSupervisorOptions) {
    this.#options = options;
    this.#wakes = new Limiter(options.wakesAtOnce ?? 2);
  }

  /** Starts what is installed and should be awake, in the background, and keeps looking. */
  begin(): void {
    const { wakeAfterMs } = this.#options;
    if (wakeAfterMs !== undefined)
      this.#mayWake = new Promise((resolve) => void setTimeout(resolve, wakeAfterMs).unref());
    void this.#look();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#ticker.unref();
    this.#timer = setInterval(() => void this.#look(), this.#options.lookEveryMs);
    this.#timer.unref();
  }

  /** What is installed was changed: looks soon, and once more for what is stopped after two looks. */
  lookSoon(): void {
    if (this.#timer === undefined || this.#soon !== undefined || this.#closed.signal.aborted) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      void this.#look().then(() => this.#look());
    }, SOON_MS);
    this.#soon.unref();
  }

  /** The instance for a new session of a plugin, if one is ready. */
  peek(identifier: string): PluginInstance | undefined {
    return this.#pools.get(identifier)?.pick();
  }

  /**
   * The instance for a new session of an installed plugin, waiting for its start.
   * @throws DaemonError `not-routable` if it is not installed here, `runtime-unavailable` with the cause if it does not start
   */
  async ready(identifier: string, signal: AbortSignal): Promise<PluginInstance> {
    let pool = this.#pools.get(identifier);
    if (pool === undefined) {
      if (!(await this.#options.isDesired(identifier)))
        throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
      this.#claims.installed(identifier);
      pool = this.#pool(identifier);
    }
    try {
      return await pool.acquire(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof DaemonError && error.kind === 'overloaded') {
        this.#options.onOverloaded?.(identifier);
        throw error;
      }
      const cause = messageOf(error);
      throw new DaemonError('runtime-unavailable', `failed to get plugin runtime: plugin runtime not found: ${cause}`, {
        cause: error,
      });
    }
  }

  claim(identifier: string): Claim {
    this.#claims.take(identifier);
    let given = false;
    return {
      ready: async ({ signal, onProgress }) => {
        await this.#pool(identifier).ensure(signal, { onProgress, asker: 'task' });
        this.#options.recentUse?.used(identifier, Date.now());
      },
      release: async () => {
        if (!given) this.#claims.give(identifier);
        given = true;
        return await this.#released(identifier);
      },
    };
  }

  /** A claim was given up: the version is stopped if that was the last one. */
  async #released(identifier: string): Promise<boolean> {
    if (this.#claims.byJobs(identifier)) return false;
    // Until the database has answered, the tenants are taken to have it: should it fail, the looks find out.
    this.#claims.installed(identifier);
    if (await this.#options.isDesired(identifier)) return false;
    // Claimed again while it was asked.
    if (this.#claims.byJobs(identifier)) return false;
    this.#claims.uninstalled(identifier);
    this.#retire(identifier);
    return true;
  }

  #retire(identifier: string): void {
    const pool = this.#pools.get(identifier);
    if (pool === undefined) return;
    this.#pools.delete(identifier);
    this.#tellLoad(identifier, nothing);
    // Not when the daemon stops: then it is wanted again at the next start.
    if (!this.#closed.signal.aborted) this.#options.recentUse?.forget(identifier);
    const retiring = pool
      .retire(this.#closed.signal)
      .then(() => this.#retired(identifier))
      .catch((error: unknown) => this.#options.log.error({ plugin: identifier, error }, 'plugin could not be stopped'))
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  async #retired(identifier: string): Promise<void> {
    // Installed again meanwhile, or still installed and only stopped with the daemon.
    if (this.#closed.signal.aborted || this.#pools.has(identifier)) return;
    await this.#options.onRetired?.(identifier);
  }

  /** What runs, starts or is being installed on this node. */
  get identifiers(): readonly string[] {
    return [...this.#pools.keys()];
  }

  /** Plugins that could not be started, with the reason. What sleeps or starts takes calls, and is none. */
  problems(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const [identifier, pool] of this.#pools) {
      const { problem } = pool;
      if (problem !== undefined) found[identifier] = problem;
    }
    return found;
  }

  isFailing(identifier: string): boolean {
    return this.#pools.get(identifier)?.problem !== undefined;
  }

  /** Every version that should run here, with what there is of it. */
  pools() {
    return [...this.#pools].map(([plugin_unique_identifier, { state, instances, open, waiting, problem }]) => ({
      plugin_unique_identifier,
      state,
      instances,
      open_calls: open,
      waiting_calls: waiting,
      problem: problem ?? null,
    }));
  }

  /** What is wanted of some versions changed. */
  policiesChanged(): void {
    for (const [identifier, pool] of this.#pools) {
      const policy = this.#options.policyOf(identifier);
      if (!isDeepStrictEqual(policy, pool.policy)) pool.policy = policy;
    }
  }

  /** Ends every plugin; open sessions were ended or drained before. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#ticker);
    clearTimeout(this.#soon);
    this.#closed.abort();
    for (const identifier of [...this.#pools.keys()]) this.#retire(identifier);
    await Promise.all(this.#retiring);
    await this.#options.recentUse?.save();
  }

  #pool(identifier: string): Pool {
    if (this.#closed.signal.aborted)
      throw new DaemonError('runtime-unavailable', 'the daemon is stopping: plugin runtime not found');
    const known = this.#pools.get(identifier);
    if (known !== undefined) return known;
    const pool = new Pool({
      identifier,
      policy: this.#options.policyOf(identifier),
      start: (options) => this.#options.start(identifier, options),
      drainSeconds: this.#options.drainSeconds,
      log: this.#options.log,
      onState: (state) => this.#options.onState(identifier, state),
      onRestarted: () => this.#options.onRestarted?.(identifier),
    });
    this.#pools.set(identifier, pool);
    this.#options.onState(identifier, pool.state);
    return pool;
  }

  /** Wakes those that should be awake, a few at a time, what was used last first. Whoever is called meanwhile is started at once. */
  #wake(identifiers: readonly string[]): void {
    const { recentUse } = this.#options;
    const lastUse = (identifier: string): number => recentUse?.lastUse(identifier) ?? Number.NEGATIVE_INFINITY;
    for (const identifier of identifiers.toSorted((a, b) => lastUse(b) - lastUse(a))) {
      const pool = this.#pools.get(identifier);
      if (pool === undefined || !this.#isWanted(identifier, pool)) continue;
      const wake = async (): Promise<void> => {
        if (this.#pools.get(identifier) !== pool) return;
        await pool.ensure(this.#closed.signal, { asker: 'nobody' });
        if (this.#pools.get(identifier) === pool && recentUse?.lastUse(identifier) === undefined)
          recentUse?.used(identifier, Date.now());
      };
      // Failures are told by the pool, which goes on trying.
      this.#mayWake.then(() => this.#wakes.run(this.#closed.signal, wake)).catch(() => undefined);
    }
  }

  /** Whether a version that nobody calls now should run: one of which nothing is known is started once. */
  #isWanted(identifier: string, { policy: { min, idleMs } }: Pool): boolean {
    const used = this.#options.recentUse?.lastUse(identifier);
    return min > 0 || idleMs === undefined || used === undefined || Date.now() - used < idleMs;
  }

  #tick(): void {
    const now = Date.now();
    for (const [identifier, pool] of this.#pools) {
      if (pool.tick()) this.#options.recentUse?.used(identifier, now);
      this.#tellLoad(identifier, pool);
    }
    if (++this.#ticks % SAVE_TICKS === 0) void this.#options.recentUse?.save();
  }

  #tellLoad(identifier: string, { instances, waiting }: PoolLoad): void {
    const told = this.#loads.get(identifier) ?? nothing;
    if (told.instances === instances && told.waiting === waiting) return;
    if (instances + waiting === 0) this.#loads.delete(identifier);
    else this.#loads.set(identifier, { instances, waiting });
    this.#options.onLoad?.(identifier, { instances, waiting });
  }

  async #look(): Promise<void> {
    try {
      await this.#options.lookAtPolicies?.();
      const desired = new Set(await this.#options.desired());
      if (this.#closed.signal.aborted) return;
      for (const identifier of this.#claims.look(desired, MISSING_LOOKS)) this.#retire(identifier);
      const unknown = [...desired].filter((identifier) => !this.#pools.has(identifier));
      for (const identifier of unknown) this.#pool(identifier);
      this.#wake(unknown);
    } catch (error) {
      // What runs goes on running; the next look tries again.
      this.#options.log.error({ error }, 'the list of installed plugins could not be read');
    }
  }
}
