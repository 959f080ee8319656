import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Bucket } from '@google-cloud/storage';
import type { ObjectStorage } from '../object-storage.ts';
import { failureOf, numberIn, type ObjectClient, RemoteStorage, storeLibrary, textIn } from '../remote/index.ts';

export interface GcsStorageOptions {
  readonly bucket: string;
  /** The JSON of a service account; undefined: the default credentials of the machine. */
  readonly serviceAccount?: object;
  /** Another server than Google's. */
  readonly endpoint?: string;
}

const ATTEMPTS = 4;
/** It says only 404. */
const noBucket: ReadonlySet<string> = new Set();
const PART_BYTES = 8 * 1024 * 1024;

/** Connects to nothing yet. @throws DaemonError when the library is not installed */
export async function openGcsStorage(options: GcsStorageOptions): Promise<ObjectStorage> {
  const { Storage, IdempotencyStrategy } = await storeLibrary(
    '@google-cloud/storage',
    () => import('@google-cloud/storage'),
  );
  const storage = new Storage({
    retryOptions: {
      autoRetry: true,
      maxRetries: ATTEMPTS - 1,
      maxRetryDelay: 3,
      totalTimeout: 60,
      // Whole objects are written, under names that say what is in them: twice is as good as once.
      idempotencyStrategy: IdempotencyStrategy.RetryAlways,
    },
    timeout: 30_000,
    ...(options.serviceAccount !== undefined && { credentials: options.serviceAccount }),
    ...(options.endpoint !== undefined && { apiEndpoint: options.endpoint }),
  });
  return new RemoteStorage(new GcsClient(storage.bucket(options.bucket)), {
    bucketSetting: 'PLUGIN_STORAGE_OSS_BUCKET',
  });
}

class GcsClient implements ObjectClient {
  readonly type = 'gcs';
  readonly name: string;
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
    this.name = `the bucket ${bucket.name} of Google Cloud Storage`;
  }

  async get(key: string, signal: AbortSignal | undefined) {
    // Its size is not among what the stream tells.
    const found = await this.head(key, signal);
    if (found === undefined) return undefined;
    const stream = this.#bucket.file(key).createReadStream();
    if (signal !== undefined) {
      const abort = () => stream.destroy(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      stream.once('close', () => signal.removeEventListener('abort', abort));
    }
    return { size: found.size, stream };
  }

  async head(key: string, _signal: AbortSignal | undefined) {
    const found = await orAbsent(this.#bucket.file(key).getMetadata());
    if (found === undefined) return undefined;
    const [{ size, updated }] = found;
    return { size: Number(size ?? 0), lastModified: new Date(updated ?? 0) };
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    const file = this.#bucket.file(key);
    if (body instanceof Uint8Array) {
      await file.save(Buffer.from(body.buffer, body.byteOffset, body.byteLength), { resumable: false });
      return;
    }
    const target = file.createWriteStream({ resumable: true, chunkSize: PART_BYTES });
    await pipeline(Readable.from(body, { objectMode: false }), target, ...(signal === undefined ? [] : [{ signal }]));
  }

  async copy(from: string, to: string, _signal: AbortSignal | undefined): Promise<boolean> {
    return (await orAbsent(this.#bucket.file(from).copy(this.#bucket.file(to)))) !== undefined;
  }

  async remove(key: string, _signal: AbortSignal | undefined): Promise<void> {
    await this.#bucket.file(key).delete({ ignoreNotFound: true });
  }

  async page(prefix: string, after: string | undefined, _signal: AbortSignal | undefined) {
    const [files, next] = await this.#bucket.getFiles({
      prefix,
      autoPaginate: false,
      ...(after !== undefined && { pageToken: after }),
    });
    return { keys: files.map(({ name }) => name), next: textIn(next, 'pageToken') };
  }

  async check(signal: AbortSignal): Promise<void> {
    const given = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    await Promise.race([this.#bucket.getFiles({ maxResults: 1, autoPaginate: false }), given]);
  }

  describe(error: unknown) {
    const status = numberIn(error, 'code') ?? numberIn(error, 'status');
    const words = [textIn(error, 'code'), textIn(error, 'type'), textIn(error, 'name')];
    return failureOf(error, status, words, noBucket);
  }

  close(): void {
    // Connections are those of the process and end with it.
  }
}

/** undefined when the answer is 404; of what, `RemoteStorage` makes sure. */
async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (numberIn(error, 'code') === 404) return undefined;
    throw error;
  }
}
