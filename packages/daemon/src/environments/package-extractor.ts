import type { Piscina } from 'piscina';
import { siblingModule } from '../sibling-module.ts';
import { type ExtractionTask, extractPackage } from './extraction.ts';

/** Up to this size unpacking takes a few milliseconds, less than starting a thread. */
const INLINE_BYTES = 128 * 1024;
const IDLE_MS = 5_000;

/** Unpacks packages: small ones at once, larger ones in a worker thread that exists only while it has work. */
export class PackageExtractor {
  #threads: Promise<Piscina> | undefined;

  async extract(task: ExtractionTask): Promise<void> {
    if (task.bytes.byteLength <= INLINE_BYTES) return extractPackage(task);
    this.#threads ??= this.#open();
    await (await this.#threads).run(task);
  }

  async close(): Promise<void> {
    await (await this.#threads)?.destroy();
    this.#threads = undefined;
  }

  async #open(): Promise<Piscina> {
    const { Piscina } = await import('piscina');
    return new Piscina({
      filename: siblingModule('./extraction-worker', import.meta.url),
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
    });
  }
}
