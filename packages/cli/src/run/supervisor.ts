/** Keeps one plugin process running: a crashed one is started again, calls in between wait for it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@plugin-daemon/values';
import { type CliError, toCliError } from '../errors.ts';
import { type CallRequest, type CallSink, type HostOptions, PluginHost, type RunningCall } from './plugin-host.ts';

/** Pause before the first restart; doubled up to the maximum while the plugin keeps dying. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

export class Supervisor {
  readonly #options: HostOptions;
  readonly #onCrash: (failure: CliError) => void;
  readonly #stopping = new AbortController();
  #host: Promise<PluginHost>;
  #pause = FIRST_PAUSE_MS;

  private constructor(options: HostOptions, onCrash: (failure: CliError) => void, host: PluginHost) {
    this.#options = options;
    this.#onCrash = onCrash;
    this.#host = Promise.resolve(host);
  }

  /** Starts the plugin. @throws CliError when the first start fails */
  static async start(
    options: HostOptions,
    onCrash: (failure: CliError) => void,
    signal: AbortSignal,
  ): Promise<Supervisor> {
    let supervisor: Supervisor | undefined;
    const watched: HostOptions = { ...options, onExit: (failure) => supervisor?.crashed(failure) };
    const host = await PluginHost.start(watched, signal);
    supervisor = new Supervisor(watched, onCrash, host);
    return supervisor;
  }

  crashed(failure: CliError): void {
    this.#onCrash(failure);
    this.#host = this.#again();
    // Calls report what went wrong; nobody else waits for this promise.
    this.#host.catch(() => {});
  }

  /** One more start, after a pause. Those who wait for it hear why it failed; the next one is under way by then. */
  async #again(): Promise<PluginHost> {
    await sleep(this.#pause, undefined, { signal: this.#stopping.signal });
    this.#pause = Math.min(MAX_PAUSE_MS, this.#pause * 2);
    try {
      const host = await PluginHost.start(this.#options, this.#stopping.signal);
      this.#pause = FIRST_PAUSE_MS;
      return host;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.crashed(toCliError(error));
      throw error;
    }
  }

  call(request: CallRequest, sink: CallSink): RunningCall {
    let running: RunningCall | undefined;
    let cancelled = false;
    this.#host.then(
      (host) => {
        if (!cancelled) running = host.call(request, sink);
      },
      (error: unknown) =>
        sink.fail({ errorType: 'PluginExitError', message: `the plugin is not running: ${messageOf(error)}` }),
    );
    return {
      cancel() {
        cancelled = true;
        running?.cancel();
      },
    };
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    const host = await this.#host.catch(() => undefined);
    await host?.close();
  }
}
