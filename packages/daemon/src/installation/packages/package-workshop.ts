import { availableParallelism } from 'node:os';
import { MessageChannel, receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { siblingModule } from '@plugin-daemon/plugin-host/sibling-module';
import { ThreadPool } from '@plugin-daemon/plugin-host/thread-pool';
import { messageOf } from '@plugin-daemon/values';
import type { PreparedBundle } from './bundle-jobs.ts';
import type {
  Checked,
  ExtractedAsset,
  IntakeRules,
  PackageDescription,
  PackageRules,
  PreparedPackage,
  Readmes,
} from './package-jobs.ts';

type Bytes = Uint8Array<ArrayBuffer>;

interface Job {
  readonly bytes: Bytes;
  readonly [input: string]: unknown;
}

export interface WorkshopOptions {
  /** Threads at most; each holds one package at a time. Default: half of the processors. */
  readonly threads?: number;
  /** Milliseconds an idle thread lives on; its memory goes with it. */
  readonly idleMs?: number;
  /** Bytes of JavaScript heap one job may take; over it the job fails, not the daemon. */
  readonly heapBytes?: number;
}

/**
 * Worker threads for everything that reads packages: inflating and hashing tens of megabytes would delay every stream of
 * the daemon. Bytes are handed over, not copied: **the array given to a job is unusable afterwards**.
 */
export class PackageWorkshop {
  readonly #threads: ThreadPool;
  #closed = false;

  constructor(options: WorkshopOptions = {}) {
    const heapBytes = options.heapBytes ?? 512 * 1024 * 1024;
    this.#threads = new ThreadPool({
      filename: siblingModule('./package-worker', import.meta.url),
      minThreads: 0,
      maxThreads: options.threads ?? Math.max(1, Math.floor(availableParallelism() / 2)),
      idleTimeout: options.idleMs ?? 10_000,
      // The loop stays free for the pool's own messages, so that an aborted job ends its thread at once.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 1024 / 1024) },
    });
  }

  prepareUpload(bytes: Bytes, rules: IntakeRules, signal?: AbortSignal): Promise<Checked<PreparedPackage>> {
    return this.#take('upload', { bytes, rules }, signal);
  }

  prepareBundle(bytes: Bytes, rules: IntakeRules, signal?: AbortSignal): Promise<Checked<PreparedBundle>> {
    return this.#take('bundle', { bytes, rules }, signal);
  }

  /** This and what follows is about stored packages: `checksum` is what their files must add up to. */
  describe(
    bytes: Bytes,
    checksum: string,
    rules: PackageRules,
    signal?: AbortSignal,
  ): Promise<Checked<PackageDescription>> {
    return this.#run('describe', { bytes, checksum, rules }, signal);
  }

  readmes(bytes: Bytes, checksum: string, signal?: AbortSignal): Promise<Checked<Readmes>> {
    return this.#run('readmes', { bytes, checksum }, signal);
  }

  asset(bytes: Bytes, checksum: string, path: string, signal?: AbortSignal): Promise<Checked<ExtractedAsset>> {
    return this.#run('asset', { bytes, checksum, path }, signal);
  }

  /**
   * Frees the memory of a package that is needed no more. The collector would leave it until it sees a reason to run, and freeing
   * it here would hold up the loop.
   */
  async discard(bytes: Bytes): Promise<void> {
    if (this.#closed || bytes.buffer.detached) return;
    await this.#run('discard', { bytes }, undefined);
  }

  /** Ends the threads; jobs under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#threads.close();
  }

  /** A job whose result has bytes in it, which are handed over like those of the job. */
  async #take<T>(name: string, job: Job, signal: AbortSignal | undefined): Promise<T> {
    const { port1: ours, port2: results } = new MessageChannel();
    try {
      await this.#run(name, { ...job, results }, signal, [results]);
      // Sent before the job was over, so it is there.
      const received: { readonly message: T } | undefined = receiveMessageOnPort(ours);
      if (received === undefined)
        throw new DaemonError('internal', 'the package could not be read: there is no result');
      return received.message;
    } finally {
      ours.close();
    }
  }

  async #run<T>(
    name: string,
    job: Job,
    signal: AbortSignal | undefined,
    alongside: readonly Transferable[] = [],
  ): Promise<T> {
    if (this.#closed) throw new DaemonError('internal', 'the daemon is shutting down');
    const bytes = transferable(job.bytes);
    // Piscina's type for this picks the other overload of postMessage, which takes an options object.
    const transfer = [bytes.buffer, ...alongside] as never;
    try {
      // The worker answers with the type that belongs to the job's name (package-worker.ts).
      return (await this.#threads.run(
        { ...job, bytes },
        { name, transferList: transfer, ...(signal === undefined ? {} : { signal }) },
      )) as T;
    } catch (error) {
      throw named(error, signal);
    }
  }
}

/**
 * A view whose buffer may be given away: small ones are slices of a pool that others use too, and a view of a small part of a
 * large buffer would carry all of it along.
 */
function transferable(bytes: Bytes): Bytes {
  const { buffer, byteOffset, byteLength } = bytes;
  const owned = byteOffset === 0 && buffer.byteLength > Buffer.poolSize && byteLength >= buffer.byteLength / 2;
  return owned || byteLength === buffer.byteLength ? bytes : new Uint8Array(bytes);
}

function named(error: unknown, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true && error instanceof Error && error.name === 'AbortError') return error;
  const text = messageOf(error);
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new DaemonError('bad-request', 'the package needs more memory to decode than the daemon gives it', {
      cause: error,
    });
  }
  return new DaemonError('internal', `the package could not be read: ${text}`, { cause: error });
}
