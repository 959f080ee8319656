import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import { restartDelayMs, STEADY_MS } from './backoff.ts';

export type StartInstance = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
}) => Promise<PluginInstance>;

export interface InstanceSlotOptions {
  readonly identifier: string;
  /** Builds the environment and starts an instance; resolves when it is ready. */
  readonly start: StartInstance;
  /** How long open sessions may go on when the slot is retired. */
  readonly drainSeconds: number;
  readonly log: Log;
  readonly onState: (state: PluginState) => void;
}

/** `waiting`: it failed and will be started again, at once if somebody asks for it. */
export type PluginState = 'stopped' | 'starting' | 'running' | 'waiting';

/** A start under way, for all who wait for it. */
interface Starting {
  readonly done: Promise<PluginInstance>;
  readonly listeners: Set<(step: string) => void>;
  /** For those who join later. */
  lastStep: string | undefined;
}

/** After a failed start, requests within this time get its error instead of another start. */
const NO_RETRY_MS = 1000;

/**
 * The place of one instance of a plugin version: starts it, replaces it when it ends, and says why when it cannot. A pool has as many
 * slots as instances.
 */
export class InstanceSlot {
  readonly #options: InstanceSlotOptions;
  #state: PluginState = 'stopped';
  #instance: PluginInstance | undefined;
  #starting: Starting | undefined;
  #retired = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Of the last start, not of the last run: a plugin that ran and ended is started at once for whoever asks. */
  #startFailedAt = 0;
  #lastError: unknown;

  constructor(options: InstanceSlotOptions) {
    this.#options = options;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Text of the last failure while the plugin waits for its next start. */
  get problem(): string | undefined {
    return this.#state === 'waiting' ? messageOf(this.#lastError) : undefined;
  }

  /** The instance that takes requests now. */
  get instance(): PluginInstance | undefined {
    return this.#instance;
  }

  /**
   * The running instance, started if need be. A start under way is joined; it goes on when the asker leaves, as others may wait.
   * @throws the error of the start; the signal's reason
   */
  async ensure(signal: AbortSignal, onProgress?: (step: string) => void): Promise<PluginInstance> {
    if (this.#instance !== undefined) return this.#instance;
    signal.throwIfAborted();
    if (this.#starting === undefined && this.#state === 'waiting' && Date.now() - this.#startFailedAt < NO_RETRY_MS)
      throw this.#lastError;
    const starting = this.#starting ?? this.#start();
    if (onProgress !== undefined) {
      starting.listeners.add(onProgress);
      if (starting.lastStep !== undefined) onProgress(starting.lastStep);
    }
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
    const started = Promise.withResolvers<PluginInstance>();
    const starting: Starting = { done: started.promise, listeners: new Set(), lastStep: undefined };
    this.#starting = starting;
    const onProgress = (step: string) => {
      starting.lastStep = step;
      for (const listener of starting.listeners) listener(step);
    };
    started.resolve(this.#run(this.#retired.signal, onProgress));
    // Every asker sees the outcome; without one the state tells it.
    starting.done.catch(() => undefined);
    return starting;
  }

  async #run(signal: AbortSignal, onProgress: (step: string) => void): Promise<PluginInstance> {
    const startedAt = Date.now();
    try {
      const instance = await this.#options.start({ signal, onProgress });
      this.#starting = undefined;
      this.#instance = instance;
      this.#setState('running');
      this.#options.log.info(
        { plugin: this.#options.identifier, ...instance.facts, start_ms: Date.now() - startedAt },
        'plugin is ready',
      );
      void this.#watch(instance);
      return instance;
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

  async #watch(instance: PluginInstance): Promise<void> {
    const readyAt = Date.now();
    const { text } = await instance.ended;
    if (this.#instance !== instance) return;
    this.#instance = undefined;
    if (this.#retired.signal.aborted) return this.#setState('stopped');
    if (Date.now() - readyAt > STEADY_MS) this.#failures = 0;
    this.#failed(new DaemonError('internal', text), 'plugin ended');
  }

  #failed(error: unknown, what: string): void {
    this.#failures++;
    this.#lastError = error;
    const pauseMs = restartDelayMs(this.#failures);
    this.#setState('waiting');
    this.#options.log.warn(
      { plugin: this.#options.identifier, failures: this.#failures, next_start_ms: pauseMs, error: messageOf(error) },
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
    const instance = this.#instance;
    this.#instance = undefined;
    if (instance === undefined) {
      await this.#starting?.done.then(
        (started) => started.stop('the plugin was stopped'),
        () => undefined,
      );
    } else {
      await this.#drained(instance, signal);
      await instance.stop('the plugin was stopped');
    }
    this.#setState('stopped');
  }

  /** Resolves when nothing of an instance is open any more, or must not be waited for. */
  async #drained(instance: PluginInstance, signal: AbortSignal | undefined): Promise<void> {
    const enough = Promise.withResolvers<void>();
    const limit = setTimeout(enough.resolve, this.#options.drainSeconds * 1000);
    const hurry = () => enough.resolve();
    signal?.addEventListener('abort', hurry, { once: true });
    if (signal?.aborted === true) hurry();
    try {
      await Promise.race([instance.idle(), instance.ended, enough.promise]);
    } finally {
      clearTimeout(limit);
      signal?.removeEventListener('abort', hurry);
    }
  }

  #setState(state: PluginState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState(state);
  }
}
