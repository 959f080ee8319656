import { Readable } from 'node:stream';
import type { ContainerClient, StoragePipelineOptions } from '@azure/storage-blob';
import type { ObjectStorage } from '../object-storage.ts';
import { failureOf, numberIn, type ObjectClient, RemoteStorage, storeLibrary, textIn } from '../remote/index.ts';

export type AzureBlobStorageOptions = {
  readonly container: string;
} & (
  | { readonly connectionString: string }
  /** `https://ACCOUNT.blob.core.windows.net/`, with the identity of the machine. */
  | { readonly accountUrl: string }
);

const ATTEMPTS = 4;
const TRY_MS = 30_000;
const PART_BYTES = 8 * 1024 * 1024;
const LOOK_MS = 100;
const noContainer: ReadonlySet<string> = new Set(['ContainerNotFound', 'ContainerBeingDeleted']);

/** Connects to nothing yet. @throws DaemonError when a library is not installed */
export async function openAzureBlobStorage(options: AzureBlobStorageOptions): Promise<ObjectStorage> {
  const { BlobServiceClient, StorageRetryPolicyType } = await storeLibrary(
    '@azure/storage-blob',
    () => import('@azure/storage-blob'),
  );
  const pipeline: StoragePipelineOptions = {
    retryOptions: {
      maxTries: ATTEMPTS,
      tryTimeoutInMs: TRY_MS,
      retryDelayInMs: 200,
      maxRetryDelayInMs: 3000,
      retryPolicyType: StorageRetryPolicyType.EXPONENTIAL,
    },
  };
  let service: InstanceType<typeof BlobServiceClient>;
  if ('connectionString' in options) {
    service = BlobServiceClient.fromConnectionString(options.connectionString, pipeline);
  } else {
    const { DefaultAzureCredential } = await storeLibrary('@azure/identity', () => import('@azure/identity'));
    service = new BlobServiceClient(options.accountUrl, new DefaultAzureCredential(), pipeline);
  }
  const client = new AzureBlobClient(service.getContainerClient(options.container));
  return new RemoteStorage(client, { bucketSetting: 'AZURE_BLOB_STORAGE_CONTAINER_NAME' });
}

class AzureBlobClient implements ObjectClient {
  readonly type = 'azure_blob';
  readonly name: string;
  readonly #container: ContainerClient;

  constructor(container: ContainerClient) {
    this.#container = container;
    this.name = `the container ${container.containerName} of the Azure account ${container.accountName}`;
  }

  async get(key: string, signal: AbortSignal | undefined) {
    const found = await orAbsent(this.#container.getBlobClient(key).download(0, undefined, signalled(signal)));
    const body = found?.readableStreamBody;
    return found !== undefined && body instanceof Readable
      ? { size: found.contentLength ?? 0, stream: body }
      : undefined;
  }

  async head(key: string, signal: AbortSignal | undefined) {
    const found = await orAbsent(this.#container.getBlobClient(key).getProperties(signalled(signal)));
    if (found === undefined) return undefined;
    return { size: found.contentLength ?? 0, lastModified: found.lastModified ?? new Date(0) };
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    const blob = this.#container.getBlockBlobClient(key);
    // Blocks that are not committed are nothing, and vanish by themselves.
    if (body instanceof Uint8Array) await blob.uploadData(body, signalled(signal));
    else await blob.uploadStream(Readable.from(body, { objectMode: false }), PART_BYTES, 2, signalled(signal));
  }

  async copy(from: string, to: string, signal: AbortSignal | undefined): Promise<boolean> {
    const source = this.#container.getBlobClient(from);
    const started = await orAbsent(
      this.#container.getBlobClient(to).beginCopyFromURL(source.url, { ...signalled(signal), intervalInMs: LOOK_MS }),
    );
    if (started === undefined) return false;
    const { copyStatus } = await started.pollUntilDone();
    if (copyStatus !== 'success') throw new Error(`the copy ended as ${copyStatus}`);
    return true;
  }

  async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    await this.#container.getBlobClient(key).deleteIfExists({ ...signalled(signal), deleteSnapshots: 'include' });
  }

  async page(prefix: string, after: string | undefined, signal: AbortSignal | undefined) {
    const pages = this.#container
      .listBlobsFlat({ prefix, ...signalled(signal) })
      .byPage(after === undefined ? {} : { continuationToken: after });
    const { value } = await pages.next();
    const keys: readonly string[] = (value?.segment.blobItems ?? []).map(({ name }: { name: string }) => name);
    const next: unknown = value?.continuationToken;
    return { keys, next: typeof next === 'string' && next !== '' ? next : undefined };
  }

  async check(signal: AbortSignal): Promise<void> {
    await this.#container.getProperties({ abortSignal: signal });
  }

  describe(error: unknown) {
    const details: unknown = error instanceof Error && 'details' in error ? error.details : undefined;
    const words = [textIn(details, 'errorCode'), textIn(error, 'code'), textIn(error, 'name')];
    return failureOf(error, numberIn(error, 'statusCode'), words, noContainer);
  }

  close(): void {
    // Connections are those of the process and end with it.
  }
}

const signalled = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { abortSignal: signal });

/** undefined when the store says of this blob that it is not there; a container that is not there is an error. */
async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const details: unknown = error instanceof Error && 'details' in error ? error.details : undefined;
    const said = textIn(details, 'errorCode') ?? textIn(error, 'code');
    // A key that runs below another one's name is refused as such; there is no object by it.
    if (said === 'BlobNotFound' || said === 'CannotVerifyCopySource') return undefined;
    throw error;
  }
}
