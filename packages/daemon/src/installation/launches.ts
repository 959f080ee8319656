import type { LocalPlugins } from '../supervision/contract.ts';

interface Launch {
  readonly controller: AbortController;
  readonly done: Promise<void>;
  readonly listeners: Set<(step: string) => void>;
  waiting: number;
  lastStep: string | undefined;
}

/**
 * One launch of a plugin version for all jobs that need it: a second install of the same identifier joins the first, sees its
 * progress, and the launch is given up only when nobody waits for it any more.
 */
export class Launches {
  readonly #plugins: LocalPlugins;
  readonly #running = new Map<string, Launch>();

  constructor(plugins: LocalPlugins) {
    this.#plugins = plugins;
  }

  /**
   * Resolves when the plugin runs.
   * @throws what the launch failed with; the signal's reason when this job was given up
   */
  async ensure(identifier: string, signal: AbortSignal, onProgress: (step: string) => void): Promise<void> {
    signal.throwIfAborted();
    const launch = this.#running.get(identifier) ?? this.#start(identifier);
    launch.waiting++;
    launch.listeners.add(onProgress);
    if (launch.lastStep !== undefined) onProgress(launch.lastStep);
    const { promise: given, reject: giveUp } = Promise.withResolvers<never>();
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([launch.done, given]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      launch.listeners.delete(onProgress);
      launch.waiting--;
      if (launch.waiting === 0) {
        if (this.#running.get(identifier) === launch) this.#running.delete(identifier);
        launch.controller.abort(signal.reason);
      }
    }
  }

  #start(identifier: string): Launch {
    const controller = new AbortController();
    const listeners = new Set<(step: string) => void>();
    const launch: Launch = {
      controller,
      listeners,
      waiting: 0,
      lastStep: undefined,
      done: this.#plugins.ensure(identifier, {
        signal: controller.signal,
        onProgress: (step) => {
          launch.lastStep = step;
          for (const listener of listeners) listener(step);
        },
      }),
    };
    // Every waiter sees the outcome; when all have left, the rest of the launch is nobody's concern.
    launch.done.catch(() => undefined);
    this.#running.set(identifier, launch);
    return launch;
  }
}
