import { DaemonError } from '../errors/index.ts';
import type { LocalRuntime } from '../runtimes/local/index.ts';
import type { Log } from '../telemetry/index.ts';
import { restartDelayMs, STEADY_MS } from './backoff.ts';

export type StartPlugin = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}) => Promise<LocalRuntime>;

export interface SupervisedPluginOptions {
  readonly identifier: string;
  /** Builds the environment and starts a process; resolves when it is ready. */
  readonly start: StartPlugin;
  /** How long open sessions may go on when the plugin is retired. */
  readonly drainSeconds: number;
  readonly log: Log;
  readonly onState: (state: PluginState) => void;
}

/** `waiting`: it failed and will be started again, at once if somebody asks for it. */
export type PluginState = 'stopped' | 'starting' | 'running' | 'waiting';

/** A start under way, for all who wait for it. */
interface Starting {
  readonly done: Promise<LocalRuntime>;
  readonly listeners: Set<(step: string) => void>;
}

/** After a failed start, requests within this time get its error instead of another start. */
const NO_RETRY_MS = 1000;
const DRAIN_LOOK_MS = 100;

/**
 * Keeps one plugin version running: starts it, starts it again when it ends, and says why when it cannot. There is one for each
 * identifier; it alone starts and stops this plugin's processes.
 */
export class SupervisedPlugin {
  readonly identifier: string;
  readonly #options: SupervisedPluginOptions;
  #state: PluginState = 'stopped';
  #runtime: LocalRuntime | undefined;
  #starting: Starting | undefined;
  #retired = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Of the last start, not of the last run: a plugin that ran and ended is started at once for whoever asks. */
  #startFailedAt = 0;
  #lastError: unknown;

  constructor(options: SupervisedPluginOptions) {
    this.identifier = options.identifier;
    this.#options = options;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Text of the last failure while the plugin waits for its next start. */
  get problem(): string | undefined {
    return this.#state === 'waiting' ? textOf(this.#lastError) : undefined;
  }

  /** The process that takes requests now. */
  get runtime(): LocalRuntime | undefined {
    return this.#runtime;
  }

  /**
   * The running process, started if need be. A start under way is joined; it goes on when the asker leaves, as others may wait.
   * @throws the error of the start; the signal's reason
   */
  async ensure(signal: AbortSignal, onProgress?: (step: string) => void): Promise<LocalRuntime> {
    if (this.#runtime !== undefined) return this.#runtime;
    signal.throwIfAborted();
    if (this.#starting === undefined && this.#state === 'waiting' && Date.now() - this.#startFailedAt < NO_RETRY_MS)
      throw this.#lastError;
    const starting = this.#starting ?? this.#start();
    if (onProgress !== undefined) starting.listeners.add(onProgress);
    const given = Promise.withResolvers<never>();
    const giveUp = () => given.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([starting.done, given.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
      if (onProgress !== undefined) starting.listeners.delete(onProgress);
    }
  }

  #start(): Starting {
    clearTimeout(this.#retry);
    this.#setState('starting');
    const listeners = new Set<(step: string) => void>();
    const onProgress = (step: string) => {
      for (const listener of listeners) listener(step);
    };
    const starting = { done: this.#run(this.#retired.signal, onProgress), listeners };
    // Every asker sees the outcome; without one the state tells it.
    starting.done.catch(() => undefined);
    this.#starting = starting;
    return starting;
  }

  async #run(signal: AbortSignal, onProgress: (step: string) => void): Promise<LocalRuntime> {
    const startedAt = Date.now();
    try {
      const runtime = await this.#options.start({ signal, onProgress });
      this.#starting = undefined;
      this.#runtime = runtime;
      this.#setState('running');
      this.#options.log.info(
        { plugin: this.identifier, pid: runtime.pid, start_ms: Date.now() - startedAt },
        'plugin is ready',
      );
      void this.#watch(runtime);
      return runtime;
    } catch (error) {
      this.#starting = undefined;
      if (signal.aborted) this.#setState('stopped');
      else {
        this.#startFailedAt = Date.now();
        this.#failed(error, 'plugin could not be started');
      }
      throw error;
    }
  }

  async #watch(runtime: LocalRuntime): Promise<void> {
    const readyAt = Date.now();
    const death = await runtime.ended;
    if (this.#runtime !== runtime) return;
    this.#runtime = undefined;
    if (this.#retired.signal.aborted) return this.#setState('stopped');
    if (Date.now() - readyAt > STEADY_MS) this.#failures = 0;
    this.#failed(new DaemonError('internal', death.text), 'plugin ended');
  }

  #failed(error: unknown, what: string): void {
    this.#failures++;
    this.#lastError = error;
    const pauseMs = restartDelayMs(this.#failures);
    this.#setState('waiting');
    this.#options.log.warn(
      { plugin: this.identifier, failures: this.#failures, next_start_ms: pauseMs, error: textOf(error) },
      what,
    );
    this.#retry = setTimeout(() => void this.#start(), pauseMs);
    this.#retry.unref();
  }

  /**
   * Stops for good: no new sessions, open ones may finish, then the process ends. Resolves when it has.
   * @param signal aborts the waiting for open sessions
   */
  async retire(signal?: AbortSignal): Promise<void> {
    this.#retired.abort(new DaemonError('runtime-unavailable', 'the plugin was stopped: plugin runtime not found'));
    clearTimeout(this.#retry);
    const runtime = this.#runtime;
    this.#runtime = undefined;
    if (runtime === undefined) {
      await this.#starting?.done.then(
        (started) => started.stop('the plugin was stopped'),
        () => undefined,
      );
      this.#setState('stopped');
      return;
    }
    const until = Date.now() + this.#options.drainSeconds * 1000;
    while (runtime.sessions > 0 && !runtime.dead && Date.now() < until && signal?.aborted !== true) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    }
    await runtime.stop('the plugin was stopped');
    this.#setState('stopped');
  }

  #setState(state: PluginState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
