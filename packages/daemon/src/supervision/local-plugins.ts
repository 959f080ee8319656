import { DaemonError } from '../errors/index.ts';
import type { LocalRuntime } from '../runtimes/local/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { LocalPlugins } from './contract.ts';
import { type PluginState, type StartPlugin, SupervisedPlugin } from './supervised-plugin.ts';

export interface LocalSupervisorOptions {
  /** Builds and starts one plugin; resolves when it is ready. */
  readonly start: (identifier: string, options: Parameters<StartPlugin>[0]) => Promise<LocalRuntime>;
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

/** Brings what runs on this machine in line with what is installed (docs/wire/lifecycle.md#supervision). */
export class LocalSupervisor implements LocalPlugins {
  readonly #options: LocalSupervisorOptions;
  readonly #plugins = new Map<string, SupervisedPlugin>();
  /** Being installed: wanted although nobody has them installed yet. */
  readonly #installing = new Map<string, number>();
  readonly #retiring = new Set<Promise<void>>();
  readonly #missing = new Map<string, number>();
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

  /** The running process of a plugin, if it is ready. */
  peek(identifier: string): LocalRuntime | undefined {
    return this.#plugins.get(identifier)?.runtime;
  }

  /**
   * The running process of an installed plugin, waiting for its start.
   * @throws DaemonError `not-routable` if it is not installed here, `runtime-unavailable` with the cause if it does not start
   */
  async ready(identifier: string, signal: AbortSignal): Promise<LocalRuntime> {
    let plugin = this.#plugins.get(identifier);
    if (plugin === undefined) {
      if (!(await this.#options.isDesired(identifier)))
        throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
      plugin = this.#supervise(identifier);
    }
    try {
      return await plugin.ensure(signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const cause = error instanceof Error ? error.message : String(error);
      throw new DaemonError('runtime-unavailable', `failed to get plugin runtime: plugin runtime not found: ${cause}`, {
        cause: error,
      });
    }
  }

  async ensure(
    identifier: string,
    { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress?: (step: string) => void },
  ): Promise<void> {
    this.#installing.set(identifier, (this.#installing.get(identifier) ?? 0) + 1);
    const plugin = this.#supervise(identifier);
    try {
      await plugin.ensure(signal, onProgress);
    } catch (error) {
      // Nobody has it installed: it must not be restarted for ever in the background.
      if (this.#installing.get(identifier) === 1 && !(await this.#options.isDesired(identifier)))
        this.retire(identifier);
      throw error;
    } finally {
      const left = (this.#installing.get(identifier) ?? 1) - 1;
      if (left > 0) this.#installing.set(identifier, left);
      else this.#installing.delete(identifier);
    }
  }

  retire(identifier: string): void {
    const plugin = this.#plugins.get(identifier);
    if (plugin === undefined) return;
    this.#plugins.delete(identifier);
    this.#missing.delete(identifier);
    const retiring = plugin
      .retire(this.#closed.signal)
      .then(() => this.#retired(identifier))
      .catch((error: unknown) => this.#options.log.error({ plugin: identifier, error }, 'plugin could not be stopped'))
      .finally(() => this.#retiring.delete(retiring));
    this.#retiring.add(retiring);
  }

  async #retired(identifier: string): Promise<void> {
    // Installed again meanwhile, or still installed and only stopped with the daemon.
    if (this.#closed.signal.aborted || this.#plugins.has(identifier)) return;
    await this.#options.onRetired?.(identifier);
  }

  /** What runs, starts or is being installed on this node. */
  get identifiers(): readonly string[] {
    return [...this.#plugins.keys()];
  }

  /** Plugins that should run but do not, with the reason. */
  problems(): Readonly<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const [identifier, plugin] of this.#plugins) {
      if (plugin.state !== 'running') found[identifier] = plugin.problem ?? plugin.state;
    }
    return found;
  }

  /** Ends every plugin; open sessions were ended or drained before. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closed.abort();
    for (const identifier of [...this.#plugins.keys()]) this.retire(identifier);
    await Promise.all(this.#retiring);
  }

  #supervise(identifier: string): SupervisedPlugin {
    if (this.#closed.signal.aborted)
      throw new DaemonError('runtime-unavailable', 'the daemon is stopping: plugin runtime not found');
    const known = this.#plugins.get(identifier);
    if (known !== undefined) return known;
    const plugin = new SupervisedPlugin({
      identifier,
      start: (options) => this.#options.start(identifier, options),
      drainSeconds: this.#options.drainSeconds,
      log: this.#options.log,
      onState: (state) => this.#options.onState(identifier, state),
    });
    this.#plugins.set(identifier, plugin);
    return plugin;
  }

  async #look(): Promise<void> {
    try {
      const desired = new Set(await this.#options.desired());
      if (this.#closed.signal.aborted) return;
      for (const identifier of desired) {
        const plugin = this.#supervise(identifier);
        // The supervised plugin logs its failures and starts again by itself.
        if (plugin.state === 'stopped') plugin.ensure(this.#closed.signal).catch(() => undefined);
      }
      for (const identifier of [...this.#plugins.keys()]) {
        if (desired.has(identifier) || this.#installing.has(identifier)) this.#missing.delete(identifier);
        else {
          const times = (this.#missing.get(identifier) ?? 0) + 1;
          this.#missing.set(identifier, times);
          if (times >= MISSING_LOOKS) this.retire(identifier);
        }
      }
    } catch (error) {
      // What runs goes on running; the next look tries again.
      this.#options.log.error({ error }, 'the list of installed plugins could not be read');
    }
  }
}
