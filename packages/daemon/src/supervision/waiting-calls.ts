import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';

interface Waiting {
  readonly resolve: (instance: PluginInstance) => void;
  readonly reject: (reason: unknown) => void;
}

/** Calls that wait for an instance, in the order in which they came. Who leaves gives up its place. */
export class WaitingCalls {
  readonly #waiting = new Set<Waiting>();

  get count(): number {
    return this.#waiting.size;
  }

  /** Resolves with an instance; rejects with the signal's reason, or with what `fail` says. */
  add(signal: AbortSignal): Promise<PluginInstance> {
    return new Promise((resolve, reject) => {
      const settled = () => {
        this.#waiting.delete(waiting);
        signal.removeEventListener('abort', leave);
      };
      const waiting: Waiting = {
        resolve: (instance) => {
          settled();
          resolve(instance);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      const leave = () => waiting.reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Gives the one that waits longest an instance. */
  next(): ((instance: PluginInstance) => void) | undefined {
    for (const { resolve } of this.#waiting) return resolve;
    return undefined;
  }

  /** Nobody of those who wait now will get one. */
  fail(reason: unknown): void {
    for (const waiting of [...this.#waiting]) waiting.reject(reason);
  }
}
