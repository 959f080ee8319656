import type { BytecodeStore } from './bytecode-store.ts';
import type { EnvironmentLog } from './options.ts';

/** Collects, some time after an environment was made, the bytecode that the plugin's first start has left in it. */
export class Harvest {
  readonly #store: BytecodeStore;
  readonly #afterMs: number;
  readonly #log: EnvironmentLog;
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  #running: Promise<void> = Promise.resolve();

  constructor(store: BytecodeStore, afterMs: number, log: EnvironmentLog) {
    this.#store = store;
    this.#afterMs = afterMs;
    this.#log = log;
  }

  /** From now on `sitePackages` may hold new bytecode, for as long as the delay lasts. */
  add(sitePackages: string): void {
    if (this.#waiting.has(sitePackages)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(sitePackages);
      this.#collect([sitePackages]);
    }, this.#afterMs);
    timer.unref();
    this.#waiting.set(sitePackages, timer);
  }

  /** Collects at once what is there: the next environment is about to be made. Those waiting are looked at again later. */
  async now(): Promise<void> {
    this.#collect([...this.#waiting.keys()]);
    await this.#running;
  }

  async close(): Promise<void> {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    await this.#running;
  }

  /** One after the other, and never failing: bytecode is only a matter of speed. */
  #collect(all: string[]): void {
    this.#running = this.#running.then(async () => {
      for (const sitePackages of all) {
        try {
          const files = await this.#store.harvest(sitePackages);
          if (files > 0) this.#log.debug({ sitePackages, files }, 'collected bytecode for the next environments');
        } catch (error) {
          this.#log.debug({ sitePackages, err: error }, 'bytecode was not collected');
        }
      }
    });
  }
}
