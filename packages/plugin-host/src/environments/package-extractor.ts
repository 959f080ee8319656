import { siblingModule } from '../sibling-module.ts';
import { ThreadPool } from '../thread-pool.ts';
import type { DependencyFacts } from './dependencies/index.ts';
import { type ExtractionTask, extractPackage } from './extraction.ts';
import type { Differences, differencesOf, ManifestTask, manifestOf } from './manifest.ts';

/** Up to this size unpacking takes a few milliseconds, less than starting a thread. */
const INLINE_BYTES = 128 * 1024;
const IDLE_MS = 5_000;
/** Reading the largest lock file that is read takes a tenth. */
const HEAP_MB = 512;

/**
 * Unpacks packages: small ones at once, larger ones in a worker thread that exists only while it has work. What a package says
 * about its dependencies is always read there: its files are parsed whole; and so are the files of environments, every byte.
 */
export class PackageExtractor {
  readonly #threads = new ThreadPool({
    filename: siblingModule('./extraction-worker', import.meta.url),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_MS,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });

  async extract(task: ExtractionTask): Promise<void> {
    if (task.bytes.byteLength <= INLINE_BYTES) return extractPackage(task);
    await this.#threads.run(task);
  }

  async readDependencies(directory: string, entrypoint: string): Promise<DependencyFacts> {
    return await this.#run('readDependencies', { directory, entrypoint });
  }

  async openTree(task: ManifestTask): Promise<void> {
    await this.#run('openTree', task);
  }

  async manifestOf(task: ManifestTask): Promise<ReturnType<typeof manifestOf>> {
    return await this.#run('manifestOf', task);
  }

  async differencesOf(task: Parameters<typeof differencesOf>[0]): Promise<Differences> {
    return await this.#run('differencesOf', task);
  }

  async close(): Promise<void> {
    await this.#threads.close();
  }

  async #run<Result>(name: string, task: object): Promise<Result> {
    // The worker answers with the type that belongs to the job's name (extraction-worker.ts).
    return (await this.#threads.run(task, { name })) as Result;
  }
}
