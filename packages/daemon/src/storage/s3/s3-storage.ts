import { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import type * as UploadSdk from '@aws-sdk/lib-storage';
import type { ObjectStorage } from '../object-storage.ts';
import { failureOf, type ObjectClient, RemoteStorage, storeLibrary, textIn } from '../remote/index.ts';

export interface S3StorageOptions {
  readonly bucket: string;
  readonly region: string;
  /** Undefined: AWS itself. */
  readonly endpoint?: string;
  /** The bucket stands in the path, not in the name of the host. */
  readonly pathStyle: boolean;
  /** Undefined: the default chain of AWS, with the roles of machines and containers. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const CONNECT_MS = 5000;
/** Longest silence on a connection. */
const SILENT_MS = 30_000;
const ATTEMPTS = 4;
const PART_BYTES = 8 * 1024 * 1024;
const noBucket: ReadonlySet<string> = new Set(['NoSuchBucket']);

/** Connects to nothing yet. @throws DaemonError when the library is not installed */
export async function openS3Storage(options: S3StorageOptions): Promise<ObjectStorage> {
  const sdk = await storeLibrary('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'));
  const { Upload } = await storeLibrary('@aws-sdk/lib-storage', () => import('@aws-sdk/lib-storage'));
  return new RemoteStorage(new S3Client(sdk, Upload, options), { bucketSetting: 'PLUGIN_STORAGE_OSS_BUCKET' });
}

class S3Client implements ObjectClient {
  readonly type = 'aws_s3';
  readonly name: string;
  readonly #sdk: typeof Sdk;
  readonly #Upload: typeof UploadSdk.Upload;
  readonly #client: Sdk.S3Client;
  readonly #bucket: string;

  constructor(sdk: typeof Sdk, Upload: typeof UploadSdk.Upload, options: S3StorageOptions) {
    this.#sdk = sdk;
    this.#Upload = Upload;
    this.#bucket = options.bucket;
    this.name = `the bucket ${options.bucket} of ${options.endpoint ?? `S3 in ${options.region}`}`;
    this.#client = new sdk.S3Client({
      region: options.region,
      forcePathStyle: options.pathStyle,
      maxAttempts: ATTEMPTS,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: SILENT_MS, throwOnRequestTimeout: true },
      // Other stores than AWS do not know the checksums that newer clients add by themselves.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
      ...(options.credentials !== undefined && { credentials: options.credentials }),
    });
  }

  async get(key: string, signal: AbortSignal | undefined) {
    const command = new this.#sdk.GetObjectCommand(this.#at(key));
    const found = await this.#orAbsent(this.#client.send(command, signalled(signal)));
    const body = found?.Body;
    return found !== undefined && body instanceof Readable
      ? { size: found.ContentLength ?? 0, stream: body }
      : undefined;
  }

  async head(key: string, signal: AbortSignal | undefined) {
    const command = new this.#sdk.HeadObjectCommand(this.#at(key));
    const found = await this.#orAbsent(this.#client.send(command, signalled(signal)));
    return found && { size: found.ContentLength ?? 0, lastModified: found.LastModified ?? new Date(0) };
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    if (body instanceof Uint8Array) {
      await this.#client.send(new this.#sdk.PutObjectCommand({ ...this.#at(key), Body: body }), signalled(signal));
      return;
    }
    // In parts when it is long; aborted, with its parts, when the source fails.
    const upload = new this.#Upload({
      client: this.#client,
      params: { ...this.#at(key), Body: Readable.from(body, { objectMode: false }) },
      partSize: PART_BYTES,
      queueSize: 2,
    });
    const abort = () => void upload.abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await upload.done();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async copy(from: string, to: string, signal: AbortSignal | undefined): Promise<boolean> {
    const source = [this.#bucket, ...from.split('/')].map(encodeURIComponent).join('/');
    const command = new this.#sdk.CopyObjectCommand({ ...this.#at(to), CopySource: source });
    return (await this.#orAbsent(this.#client.send(command, signalled(signal)))) !== undefined;
  }

  async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#client.send(new this.#sdk.DeleteObjectCommand(this.#at(key)), signalled(signal));
  }

  async page(prefix: string, after: string | undefined, signal: AbortSignal | undefined) {
    const { Contents, NextContinuationToken, IsTruncated, KeyCount, Name } = await this.#client.send(
      new this.#sdk.ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        ...(after !== undefined && { ContinuationToken: after }),
      }),
      signalled(signal),
    );
    if ((IsTruncated ?? KeyCount ?? Name) === undefined) throw new Error('the answer to a question for a list is none');
    return { keys: (Contents ?? []).flatMap(({ Key }) => Key ?? []), next: NextContinuationToken };
  }

  /** Creates the bucket where there is none, as upstream does. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      await this.#client.send(new this.#sdk.HeadBucketCommand({ Bucket: this.#bucket }), signalled(signal));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      await this.#client.send(new this.#sdk.CreateBucketCommand({ Bucket: this.#bucket }), signalled(signal));
    }
  }

  describe(error: unknown) {
    return failureOf(
      error,
      statusOf(error),
      [textIn(error, 'Code'), textIn(error, 'code'), textIn(error, 'name')],
      noBucket,
    );
  }

  close(): void {
    this.#client.destroy();
  }

  #at(key: string) {
    return { Bucket: this.#bucket, Key: key };
  }

  /** undefined when the answer is 404; of what, `RemoteStorage` makes sure. */
  async #orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (statusOf(error) === 404 && textIn(error, 'Code') !== 'NoSuchBucket') return undefined;
      throw error;
    }
  }
}

const signalled = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

function statusOf(error: unknown): number | undefined {
  const metadata: unknown = error instanceof Error && '$metadata' in error ? error.$metadata : undefined;
  const status: unknown =
    typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'httpStatusCode') : undefined;
  return typeof status === 'number' ? status : undefined;
}
