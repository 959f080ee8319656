import { randomUUID } from 'node:crypto';
import { provided, type ServiceName, skipReason } from '@plugin-daemon/services';
import { describe, expect, test } from 'vitest';
import { openAzureBlobStorage } from '../azure-blob/index.ts';
import { storageConformance } from '../conformance.suite.ts';
import { openGcsStorage } from '../gcs/index.ts';
import type { ObjectStorage } from '../object-storage.ts';
import { openS3Storage } from '../s3/index.ts';

/** What azurite's one account is called, and its key, which stands in its documentation. */
const azuriteAccount = 'devstoreaccount1';
const azuriteKey = ['Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq', 'K1SZFPTOtr/KBHBeksoGMGw=='].join(
  '/',
);

interface Store {
  readonly service: ServiceName;
  /** A new, empty bucket; with wrong credentials, or one that is not there, on request. */
  readonly open: (url: string, wrong?: 'credentials' | 'bucket') => Promise<ObjectStorage>;
  /** A bucket that is not there is made, as upstream does. */
  readonly makesBuckets: boolean;
  /** The emulator looks at credentials. */
  readonly strict: boolean;
}

const s3 = async (text: string, wrong?: 'credentials' | 'bucket'): Promise<ObjectStorage> => {
  const url = new URL(text);
  const storage = await openS3Storage({
    bucket: `b-${randomUUID()}`,
    region: 'us-east-1',
    endpoint: url.origin,
    pathStyle: true,
    credentials: { accessKeyId: url.username, secretAccessKey: wrong === 'credentials' ? 'wrong' : url.password },
  });
  if (wrong === undefined) expect(await storage.problem()).toBeUndefined();
  return storage;
};

const stores: readonly Store[] = [
  { service: 'versitygw', open: s3, makesBuckets: true, strict: true },
  { service: 'moto', open: s3, makesBuckets: true, strict: false },
  {
    service: 'azurite',
    makesBuckets: false,
    strict: true,
    open: async (url, wrong) => {
      const key = wrong === 'credentials' ? Buffer.alloc(64).toString('base64') : azuriteKey;
      const connectionString = `DefaultEndpointsProtocol=http;AccountName=${azuriteAccount};AccountKey=${key};BlobEndpoint=${url}/${azuriteAccount};`;
      const container = `c-${randomUUID()}`;
      if (wrong === undefined) {
        const { BlobServiceClient } = await import('@azure/storage-blob');
        await BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container).create();
      }
      return await openAzureBlobStorage({ container, connectionString });
    },
  },
  {
    service: 'gcs',
    makesBuckets: false,
    strict: false,
    open: async (url, wrong) => {
      const bucket = `b-${randomUUID()}`;
      if (wrong === undefined) {
        const created = await fetch(`${url}/storage/v1/b?project=p`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ name: bucket }),
        });
        expect(created.ok).toBe(true);
      }
      return await openGcsStorage({ bucket, endpoint: url });
    },
  },
];

describe.each(stores)('object store $service', ({ service, open, makesBuckets, strict }) => {
  const url = provided(service);
  if (url === undefined) {
    test.skip(skipReason(service));
    return;
  }

  storageConformance(service, async () => {
    const storage = await open(url);
    return { storage, close: () => storage.close() };
  });

  // The emulator of Google's store knows no pages.
  test.skipIf(service === 'gcs')('more keys than a page holds', async () => {
    const storage = await open(url);
    const names = Array.from({ length: 1203 }, (_, n) => `n${n}`);
    for (let at = 0; at < names.length; at += 20) {
      await Promise.all(names.slice(at, at + 20).map((name) => storage.write(`many/${name}`, Buffer.from('x'))));
    }
    expect((await storage.list('many')).toSorted()).toEqual(names.toSorted());
    await storage.close();
  });

  test('20 MB in one piece and as a stream', async () => {
    const storage = await open(url);
    const bytes = Buffer.alloc(20 * 1024 * 1024, 'object stores ');
    await storage.write('big', bytes);
    async function* parts() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    }
    await storage.write('streamed', parts());
    expect((await storage.read('streamed'))?.equals(bytes)).toBe(true);
    expect((await storage.read('big'))?.equals(bytes)).toBe(true);
    await storage.close();
  });

  test.skipIf(makesBuckets)('a bucket that is not there is an error, not absence', async () => {
    const storage = await open(url, 'bucket');
    for (const verb of ['read', 'exists', 'list', 'delete'] as const) {
      await expect(storage[verb]('a')).rejects.toThrow(/cannot .* in the (bucket|container) /);
    }
    await storage.close();
  });

  test.skipIf(!strict)('wrong credentials are refused, and are the cause', async () => {
    const storage = await open(url, 'credentials');
    await expect(storage.exists('a')).rejects.toThrow(/cannot look up a in the /);
    await expect(storage.read('a')).rejects.toMatchObject({ kind: 'internal' });
    expect(await storage.problem()).toMatch(/credentials that may read/);
    await storage.close();
  });

  test('a signal ends the waiting', async () => {
    const storage = await open(url);
    const reason = new Error('given up');
    await expect(storage.read('a', AbortSignal.abort(reason))).rejects.toBe(reason);
    await storage.close();
  });
});
