import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import { Claims } from './claims.ts';
import type { Claim, LocalPlugins } from './contract.ts';
import type { PluginState, StartInstance } from './instance-slot.ts';
import { Pool } from './pool.ts';

export interface LocalSupervisorOptions {
  /** Builds and starts one instance; resolves when it is ready. */
  readonly start: (identifier: string, options: Parameters<StartInstance>[0]) => Promise<PluginInstance>;
  /** The plugins that should run on this node: those that some tenant has installed. */
  readonly desired: () => Promise<readonly string[]>;
  /** Whether one plugin should run here. */
  readonly isDesired: (identifier: string) => Promise<boolean>;
  readonly drainSeconds: number;
  /** Between two looks at the desired state. */
  readonly lookEveryMs: number;
  readonly log: Log;
  readonly onState: (identifier: string, state: PluginState) => void;
  /** A version is not wanted here any more, and its processes have ended; not told when the daemon stops. */
  readonly onRetired?: (identifier: string) => Promise<void>;
}

/** A plugin has to be missing from the desired state this often in a row before it is stopped (docs/wire/lifecycle.md#supervision). */
const MISSING_LOOKS = 2;
/** Processes of one version. */
const INSTANCES = 1;

/** Brings what runs on this machine in line with what is claimed: a pool for each version (docs/wire/lifecycle.md#supervision). */
export class LocalSupervisor implements LocalPlugins {
  readonly #options: LocalSupervisorOptions;
  readonly #pools = new Map<string, Pool>();
  readonly #claims = new Claims();
  readonly #retiring = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = new AbortController();

  constructor(options: LocalSupervisorOptions) {
    this.#options = options;
  }

  /** Starts everything that is installed, in the background, and keeps looking. */
  begin(): void {
    void this.#look();
    this.#timer = setInterval(() => void this.#look(), this.#options.lookEveryMs);
    this.#timer.unref();
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
      return await pool.ensure(signal);
    } catch (error) {
      if (signal.aborted) throw error;
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
        await this.#pool(identifier).ensure(signal, onProgress);
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

  /** Plugins that should run but do not, with the reason. */
  problems(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const [identifier, pool] of this.#pools) {
      if (pool.state !== 'running') found[identifier] = pool.problem ?? pool.state;
    }
    return found;
  }

  /** Ends every plugin; open sessions were ended or drained before. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed.abort();
    for (const identifier of [...this.#pools.keys()]) this.#retire(identifier);
    await Promise.all(this.#retiring);
  }

  #pool(identifier: string): Pool {
    if (this.#closed.signal.aborted)
      throw new DaemonError('runtime-unavailable', 'the daemon is stopping: plugin runtime not found');
    const known = this.#pools.get(identifier);
    if (known !== undefined) return known;
    const pool = new Pool({
      identifier,
      instances: INSTANCES,
      start: (options) => this.#options.start(identifier, options),
      drainSeconds: this.#options.drainSeconds,
      log: this.#options.log,
      onState: (state) => this.#options.onState(identifier, state),
    });
    this.#pools.set(identifier, pool);
    return pool;
  }

  async #look(): Promise<void> {
    try {
      const desired = new Set(await this.#options.desired());
      if (this.#closed.signal.aborted) return;
      for (const identifier of this.#claims.look(desired, MISSING_LOOKS)) this.#retire(identifier);
      for (const identifier of desired) this.#pool(identifier).fill(this.#closed.signal);
    } catch (error) {
      // What runs goes on running; the next look tries again.
      this.#options.log.error({ error }, 'the list of installed plugins could not be read');
    }
  }
}
