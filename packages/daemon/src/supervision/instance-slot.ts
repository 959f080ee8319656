import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import { restartDelayMs, STEADY_MS } from './backoff.ts';
import { type Asker, Urgency } from './limiter.ts';

export type StartInstance = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (step: string) => void;
  /** Absent: nobody waits for it. */
  readonly urgency?: Urgency;
}) => Promise<PluginInstance>;

export interface InstanceSlotOptions {
  readonly identifier: string;
  /** Builds the environment and starts an instance; resolves when it is ready. */
  readonly start: StartInstance;
  /** How long open sessions may go on when the slot is retired. */
  readonly drainSeconds: number;
  readonly log: Log;
  readonly onState: (state: PluginState) => void;
  /** What had ended without being asked to runs again. */
  readonly onRestarted?: (() => void) | undefined;
}

/**
 * `waiting`: it failed and will be started again, at once if somebody asks for it; `asleep`: nothing runs because nobody needs it, and a
 * call wakes it.
 */
export type PluginState = 'stopped' | 'asleep' | 'starting' | 'running' | 'waiting';

/** A start under way, for all who wait for it. */
interface Starting {
  readonly done: Promise<PluginInstance>;
  readonly listeners: Set<(step: string) => void>;
  /** For those who join later. */
  lastStep: string | undefined;
  readonly urgency: Urgency;
}

export interface AskOptions {
  readonly onProgress?: ((step: string) => void) | undefined;
  /** Starts that nobody waits for give way to others; a call unless given. */
  readonly asker?: Asker | 'nobody';
}

/** After a failed start, requests within this time get its error instead of another start. */
const NO_RETRY_MS = 1000;
/** Of a plugin that had been ready, so many ends in a row are made good at once: the next call should find it running. */
const FREE_DEATHS = 3;

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
  #startFailed = false;
  /** What ran has ended, and nothing has run since. */
  #died = false;

  constructor(options: InstanceSlotOptions) {
    this.#options = options;
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Text of the last failure until the next start has succeeded. */
  get problem(): string | undefined {
    return this.#lastError !== undefined ? messageOf(this.#lastError) : undefined;
  }

  /** The last failure was that of a start, not the end of what ran. */
  get startFailed(): boolean {
    return this.#startFailed;
  }

  /** The instance that takes requests now. */
  get instance(): PluginInstance | undefined {
    return this.#instance;
  }

  /**
   * The running instance, started if need be. A start under way is joined; it goes on when the asker leaves, as others may wait.
   * @throws the error of the start; the signal's reason
   */
  async ensure(signal: AbortSignal, { onProgress, asker = 'call' }: AskOptions = {}): Promise<PluginInstance> {
    if (this.#instance !== undefined) return this.#instance;
    signal.throwIfAborted();
    if (this.#starting === undefined && this.#state === 'waiting' && Date.now() - this.#startFailedAt < NO_RETRY_MS)
      throw this.#lastError;
    const starting = this.#starting ?? this.#start();
    if (asker !== 'nobody') starting.urgency.raise(asker);
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

  /** A call waits for the start that is under way. @returns false if there is none */
  hurry(): boolean {
    this.#starting?.urgency.raise('call');
    return this.#starting !== undefined;
  }

  #start(): Starting {
    clearTimeout(this.#retry);
    this.#setState('starting');
    const started = Promise.withResolvers<PluginInstance>();
    const urgency = new Urgency();
    const starting: Starting = { done: started.promise, listeners: new Set(), lastStep: undefined, urgency };
    this.#starting = starting;
    const onProgress = (step: string) => {
      starting.lastStep = step;
      for (const listener of starting.listeners) listener(step);
    };
    started.resolve(this.#run(this.#retired.signal, onProgress, urgency));
    // Every asker sees the outcome; without one the state tells it.
    starting.done.catch(() => undefined);
    return starting;
  }

  async #run(signal: AbortSignal, onProgress: (step: string) => void, urgency: Urgency): Promise<PluginInstance> {
    const startedAt = Date.now();
    try {
      const instance = await this.#options.start({ signal, onProgress, urgency });
      this.#starting = undefined;
      this.#instance = instance;
      this.#lastError = undefined;
      this.#setState('running');
      if (this.#died) this.#options.onRestarted?.();
      this.#died = false;
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
        this.#failures++;
        this.#startFailed = true;
        this.#failed(error, 'plugin could not be started', restartDelayMs(this.#failures));
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
    this.#died = true;
    if (Date.now() - readyAt > STEADY_MS) this.#failures = 0;
    this.#failures++;
    this.#startFailed = false;
    this.#failed(
      new DaemonError('internal', text),
      'plugin ended',
      restartDelayMs(Math.max(1, this.#failures - FREE_DEATHS + 1)),
    );
  }

  #failed(error: unknown, what: string, pauseMs: number): void {
    this.#lastError = error;
    this.#retry = setTimeout(() => void this.#start(), pauseMs);
    this.#retry.unref();
    this.#options.log.warn(
      { plugin: this.#options.identifier, failures: this.#failures, next_start_ms: pauseMs, error: messageOf(error) },
      what,
    );
    // Last: who is told may retire it.
    this.#setState('waiting');
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
