import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Log } from '../../telemetry/index.ts';
import { launchEvent, Progress, type Stage } from './progress.ts';

/** One launch, told step by step. */
export interface LaunchSteps {
  /** Whether functions can be run now. */
  check(signal: AbortSignal): Promise<void>;
  /** Makes environment and record. */
  build(signal: AbortSignal, onStep: (text: string) => void): Promise<void>;
  /** Starts an instance; resolves when it answers. */
  run(signal: AbortSignal): Promise<void>;
}

export interface LaunchesOptions {
  readonly timeoutMs: number;
  readonly log: Log;
  readonly onEnd: (launch: {
    readonly identifier: string;
    readonly status: 'success' | 'failed';
    readonly seconds: number;
  }) => void;
}

/**
 * Launches under way. Who asks for one that is under way joins it: two daemons that install the same plugin, or one that asks again after
 * its stream was cut, get the same build. A launch goes on when whoever asked has left, since somebody will ask again.
 */
export class Launches {
  readonly #options: LaunchesOptions;
  readonly #running = new Map<string, Progress>();
  readonly #closed = new AbortController();

  constructor(options: LaunchesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Of the packages that are launched now. */
  get identifiers(): Iterable<string> {
    return this.#running.keys();
  }

  under(identifier: string): Progress | undefined {
    return this.#running.get(identifier);
  }

  /** Joins the launch of this package, or begins it. */
  launch(identifier: string, steps: LaunchSteps): Progress {
    const running = this.#running.get(identifier);
    if (running !== undefined) return running;
    const progress = new Progress();
    this.#running.set(identifier, progress);
    // Never rejects: what goes wrong is told as an event.
    void this.#run(identifier, steps, progress);
    return progress;
  }

  /** Resolves when no launch is under way. @param signal ends those that still are */
  async close(signal: AbortSignal): Promise<void> {
    const stop = () =>
      this.#closed.abort(
        new DaemonError('unavailable', 'this server is stopping', { remedy: 'Launch the plugin again' }),
      );
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    await Promise.all([...this.#running.values()].map((progress) => progress.ended));
    signal.removeEventListener('abort', stop);
  }

  async #run(identifier: string, steps: LaunchSteps, progress: Progress): Promise<void> {
    const { timeoutMs, log, onEnd } = this.#options;
    const startedAt = performance.now();
    const limit = new AbortController();
    const timer = setTimeout(
      () =>
        limit.abort(
          new DaemonError('internal', `the launch took longer than ${timeoutMs / 1000} s`, {
            remedy:
              'Raise SRI_LAUNCH_TIMEOUT, and with it DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT of the daemon',
          }),
        ),
      timeoutMs,
    );
    const signal = AbortSignal.any([limit.signal, this.#closed.signal]);
    let stage: Stage = 'healthz';
    try {
      await steps.check(signal);
      progress.tell(launchEvent('healthz', 'success'));
      stage = 'start';
      progress.tell(launchEvent('start', 'running'));
      stage = 'build';
      progress.tell(launchEvent('build', 'running'));
      await steps.build(signal, (text) => progress.tell(launchEvent('build', 'running', text)));
      progress.tell(launchEvent('build', 'success'));
      stage = 'run';
      progress.tell(launchEvent('run', 'running'));
      await steps.run(signal);
      this.#ended(progress, identifier);
      progress.tell(launchEvent('run', 'success'));
      progress.tell(launchEvent('end', 'success', 'launched'));
      onEnd({ identifier, status: 'success', seconds: (performance.now() - startedAt) / 1000 });
    } catch (thrown) {
      const error = toDaemonError(signal.aborted ? signal.reason : thrown);
      log.warn({ plugin: identifier, stage, error: error.wireMessage }, 'a launch failed');
      this.#ended(progress, identifier);
      progress.tell(launchEvent(stage, 'failed', error.wireMessage));
      onEnd({ identifier, status: 'failed', seconds: (performance.now() - startedAt) / 1000 });
    } finally {
      clearTimeout(timer);
      progress.end();
    }
  }

  /** Before the last event is told: who hears it may ask for a launch again at once. */
  #ended(progress: Progress, identifier: string): void {
    if (this.#running.get(identifier) === progress) this.#running.delete(identifier);
  }
}
