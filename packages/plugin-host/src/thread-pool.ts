import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { Piscina } from 'piscina';

/** A pool of worker threads whose jobs always come to an end: also those for which no thread could be started. */
export class ThreadPool {
  readonly #options: ConstructorParameters<typeof Piscina>[0];
  /** Opened, and its library loaded, with the first job. */
  #open: Promise<OpenPool> | undefined;

  constructor(options: ConstructorParameters<typeof Piscina>[0]) {
    this.#options = options;
  }

  /** @throws what the job threw, what ended its thread, or why no thread could be started */
  async run(job: object, options: Parameters<Piscina['run']>[1] = {}): Promise<unknown> {
    this.#open ??= this.#openPool();
    const open = await this.#open;
    try {
      return await open.pool.run(job, options);
    } catch (error) {
      throw open.failure ?? error;
    }
  }

  /** Ends the threads; jobs under way fail. */
  async close(): Promise<void> {
    const open = await this.#open;
    this.#open = undefined;
    await open?.pool.destroy();
  }

  async #openPool(): Promise<OpenPool> {
    const { Piscina } = await import('piscina');
    const open: OpenPool = { pool: new Piscina({ env: environment(), ...this.#options }), failure: undefined };
    open.pool.on('error', (error: Error) => {
      // No thread, for want of memory or descriptors. Nobody would take the jobs that wait, and the pool starts no other: they fail, and
      // the next job has a pool of its own.
      open.failure ??= error;
      this.#open = undefined;
      // It has one way to fail: not to end its threads in time; they end by themselves then.
      open.pool.destroy().catch(() => undefined);
    });
    return open;
  }
}

/**
 * Of this process's environment threads need nothing, and what decodes what strangers send should have none of it. They do not take over
 * where compiled code is kept, whose directory names the engine below the one that is to be given.
 */
function environment(): Record<string, string> {
  const directory = getCompileCacheDir();
  return directory === undefined ? {} : { NODE_COMPILE_CACHE: dirname(directory) };
}

interface OpenPool {
  readonly pool: Piscina;
  /** Why it was given up. */
  failure: Error | undefined;
}
