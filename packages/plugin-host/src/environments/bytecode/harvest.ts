import type { EnvironmentLog } from '../options.ts';
import type { BytecodeStore } from './store.ts';

/** Compiles into the store, some time after an environment was made: its plugin's first start has the processor to itself. */
export class Harvest {
  readonly #store: BytecodeStore;
  readonly #afterMs: number;
  readonly #log: EnvironmentLog;
  /** Environments that wait for their time, with the interpreter of each. */
  readonly #waiting = new Map<string, { python: string; timer: NodeJS.Timeout }>();
  readonly #lifetime = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(store: BytecodeStore, afterMs: number, log: EnvironmentLog) {
    this.#store = store;
    this.#afterMs = afterMs;
    this.#log = log;
  }

  add(python: string, sitePackages: string): void {
    if (this.#waiting.has(sitePackages)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(sitePackages);
      this.#collect(python, sitePackages);
    }, this.#afterMs);
    timer.unref();
    this.#waiting.set(sitePackages, { python, timer });
  }

  /** Begins at once with what waits: the next environment is about to be made. Those waiting are looked at again later. */
  now(): void {
    for (const [sitePackages, { python }] of this.#waiting) this.#collect(python, sitePackages);
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#lifetime.abort(new Error('the daemon is shutting down'));
    await this.#running;
  }

  /** One after the other, and never failing: bytecode is only a matter of speed. */
  #collect(python: string, sitePackages: string): void {
    const { signal } = this.#lifetime;
    this.#running = this.#running.then(async () => {
      if (signal.aborted) return;
      try {
        const files = await this.#store.fill(python, sitePackages, signal);
        if (files > 0) this.#log.debug({ sitePackages, files }, 'compiled bytecode for the next environments');
      } catch (error) {
        if (!signal.aborted) this.#log.debug({ sitePackages, err: error }, 'bytecode was not compiled');
      }
    });
  }
}
