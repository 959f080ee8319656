import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { checkedKey } from '../object-key.ts';
import type { ObjectStat, ObjectStorage, ObjectStream } from '../object-storage.ts';
import type { ObjectClient, RemoteFailure } from './object-client.ts';

export interface RemoteStorageOptions {
  /** Before every key, without slashes around it; ALIYUN_OSS_PATH. */
  readonly root?: string;
  /** The setting that names the bucket, for remedies. */
  readonly bucketSetting: string;
}

/** A body that broke off is asked for again this often in all. */
const READS = 3;
const PAUSE_MS = 200;
/** The answer to "does it work?" counts for this long: probes ask often. */
const CHECK_COUNTS_MS = 5000;
const CHECK_MS = 5000;
/** A bucket that was there is taken to be there for this long. */
const BUCKET_COUNTS_MS = 30_000;

/** Objects in a bucket: the contract of `ObjectStorage` over the requests of a driver. */
export class RemoteStorage implements ObjectStorage {
  readonly type: string;
  readonly #client: ObjectClient;
  readonly #root: string;
  readonly #bucketSetting: string;
  #bucketSeenAt = Number.NEGATIVE_INFINITY;
  #checked: { readonly at: number; readonly problem: Promise<string | undefined> } | undefined;

  constructor(client: ObjectClient, { root = '', bucketSetting }: RemoteStorageOptions) {
    this.type = client.type;
    this.#client = client;
    this.#root = root === '' ? '' : `${root}/`;
    this.#bucketSetting = bucketSetting;
  }

  async read(key: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    const path = this.#path(key);
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const found = await this.#client.get(path, signal);
        if (found === undefined) return await this.#absent(undefined, signal);
        const bytes = await buffer(found.stream);
        if (bytes.length === found.size) return bytes;
        throw new BrokenOff(bytes.length, found.size);
      } catch (error) {
        signal?.throwIfAborted();
        const { cause } = this.#describe(error);
        // The driver asks again for what was not answered; here it is for what was not answered to its end.
        if (attempt === READS || cause !== 'unreachable') throw this.#error('read', key, error);
      }
      await pause(PAUSE_MS * attempt, undefined, { signal }).catch(() => undefined);
    }
  }

  async readStream(key: string, signal?: AbortSignal): Promise<ObjectStream | undefined> {
    return await this.#run('read', key, signal, async (path) => {
      return (await this.#client.get(path, signal)) ?? (await this.#absent(undefined, signal));
    });
  }

  async write(key: string, data: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    // What the source throws is the caller's own, not the store's.
    const source = data instanceof Uint8Array ? undefined : new Source(data);
    try {
      await this.#run('write', key, signal, (path) => this.#client.put(path, source ?? data, signal));
    } catch (error) {
      throw source?.failed === undefined ? error : source.failed.error;
    }
  }

  async copy(from: string, to: string, signal?: AbortSignal): Promise<boolean> {
    const target = this.#path(to);
    return await this.#run('copy', from, signal, async (path) => {
      return (await this.#client.copy(path, target, signal)) || (await this.#absent(false, signal));
    });
  }

  async exists(key: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.stat(key, signal)) !== undefined;
  }

  async stat(key: string, signal?: AbortSignal): Promise<ObjectStat | undefined> {
    return await this.#run('look up', key, signal, (path) => this.#head(path, signal));
  }

  async list(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    const start = prefix === '' ? this.#root : `${this.#path(prefix)}/`;
    const found: string[] = [];
    await this.#run('list', prefix, signal, async () => {
      for (let after: string | undefined; ; ) {
        const { keys, next } = await this.#client.page(start, after, signal);
        // Markers of folders, made by consoles and by other programs, are no objects of ours.
        for (const key of keys) if (!key.endsWith('/')) found.push(key.slice(start.length));
        if (next === undefined) return;
        if (next === after) throw new Error('the store gave the same page twice');
        after = next;
      }
    });
    return found;
  }

  async delete(key: string, signal?: AbortSignal): Promise<boolean> {
    return await this.#run('delete', key, signal, async (path) => {
      if ((await this.#head(path, signal)) === undefined) return false;
      await this.#client.remove(path, signal);
      return true;
    });
  }

  async problem(): Promise<string | undefined> {
    const now = performance.now();
    if (this.#checked === undefined || now - this.#checked.at > CHECK_COUNTS_MS) {
      const problem = this.#client.check(AbortSignal.timeout(CHECK_MS)).then(
        () => undefined,
        (error: unknown) => this.#error('use', '', error).wireMessage,
      );
      this.#checked = { at: now, problem };
    }
    return await this.#checked.problem;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  async #head(path: string, signal: AbortSignal | undefined): Promise<ObjectStat | undefined> {
    return (await this.#client.head(path, signal)) ?? (await this.#absent(undefined, signal));
  }

  /** An object is absent only from a bucket that is there: stores, and what stands before them, say 404 for much. */
  async #absent<T>(value: T, signal: AbortSignal | undefined): Promise<T> {
    const now = performance.now();
    if (now - this.#bucketSeenAt < BUCKET_COUNTS_MS) return value;
    await this.#client.check(signal ?? AbortSignal.timeout(CHECK_MS));
    this.#bucketSeenAt = now;
    return value;
  }

  #path(key: string): string {
    return this.#root + checkedKey(key);
  }

  async #run<T>(
    verb: string,
    key: string,
    signal: AbortSignal | undefined,
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    // All of them have no key.
    const path = verb === 'list' ? '' : this.#path(key);
    signal?.throwIfAborted();
    try {
      return await work(path);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#error(verb, key, error);
    }
  }

  #describe(error: unknown): RemoteFailure {
    if (error instanceof BrokenOff) return { cause: 'unreachable', text: error.message };
    const failure = this.#client.describe(error);
    return { ...failure, text: (failure.text.split('\n', 1)[0] ?? '').slice(0, 500) };
  }

  #error(verb: string, key: string, error: unknown): DaemonError {
    if (error instanceof DaemonError) return error;
    const { cause, text } = this.#describe(error);
    const what = key === '' ? '' : ` ${key}`;
    return new DaemonError(
      cause === 'unreachable' ? 'unavailable' : 'internal',
      `cannot ${verb}${what} in ${this.#client.name}: ${text}`,
      {
        cause: error,
        remedy: {
          unreachable: 'see that the store can be reached from this machine, then try again; nothing was changed',
          refused: `give the daemon credentials that may read, write, list and delete in the bucket of ${this.#bucketSetting}`,
          'no-bucket': `create the bucket that ${this.#bucketSetting} names, or correct the name`,
          other: 'see what the store says about it',
        }[cause],
      },
    );
  }
}

class BrokenOff extends Error {
  constructor(came: number, size: number) {
    super(`the answer broke off after ${came} of ${size} bytes`);
  }
}

/** Remembers what the source threw, whatever a driver makes of it. */
class Source implements AsyncIterable<Uint8Array> {
  readonly #data: AsyncIterable<Uint8Array>;
  failed: { readonly error: unknown } | undefined;

  constructor(data: AsyncIterable<Uint8Array>) {
    this.#data = data;
  }

  async *[Symbol.asyncIterator]() {
    try {
      yield* this.#data;
    } catch (error) {
      this.failed = { error };
      throw error;
    }
  }
}
