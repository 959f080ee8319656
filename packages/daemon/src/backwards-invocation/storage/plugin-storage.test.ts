import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { type ObjectStorage, openLocalStorage } from '../../storage/index.ts';
import type { PluginObjects } from './plugin-storage.ts';
import { objectPath } from './storage-key.ts';
import { memoryStorage } from './testing.ts';

const here = { tenantId: 'tenant', pluginId: 'author/name' };
const bytes = (length: number): Buffer => Buffer.alloc(length, 'x');
const root = mkdtempSync(join(tmpdir(), 'plugin-storage-'));
afterAll(() => rmSync(root, { recursive: true }));

let stores = 0;
const localObjects = (): Promise<ObjectStorage> =>
  openLocalStorage({ root: join(root, String(stores++)), nodeId: 'node' });

test('objects stand where upstream puts them, for every version of the plugin', async () => {
  const { storage, objects, sizes } = memoryStorage();
  await storage.set(here, './a//b/../c', bytes(3), undefined);
  expect([...objects.keys()]).toEqual(['persistence/tenant/author/name/a/c']);
  expect([...sizes]).toEqual([['tenant/author/name', 3]]);
  for (const same of ['a/c', '/a/c', './a/c']) expect(await storage.get(here, same)).toEqual(bytes(3));
  expect(await storage.get({ ...here, tenantId: 'other' }, 'a/c')).toBeUndefined();
});

test('who asks for it is told what was written and deleted, under the key it was asked for, and of nothing else', async () => {
  const told: string[] = [];
  const { storage } = memoryStorage({
    onChanged: ({ tenantId, pluginId }, key) => told.push(`${tenantId} ${pluginId} ${key}`),
  });
  await storage.set(here, 'k', bytes(3), undefined);
  await storage.get(here, 'k');
  await storage.exists(here, 'k');
  await storage.delete(here, 'none');
  await expect(storage.set(here, 'large', bytes(9), 5)).rejects.toThrow('allocated size');
  expect(told).toEqual(['tenant author/name k']);
  await storage.delete(here, 'k');
  expect(told).toHaveLength(2);
});

test.each(['..', '../x', 'a/../../x', 'a..b', 'a\\b', '..\\x', 'x/..y'])('key %j is refused as traversal', (key) => {
  expect(() => objectPath(here, key)).toThrow('invalid key: path traversal attempt detected');
});

test.each(['', '.', '/', './', 'a/', 'a/b//', 'a/..'])('key %j names no object', (key) => {
  expect(() => objectPath(here, key)).toThrow(/invalid key/);
});

test('whatever the key, the object stays in its namespace', () => {
  const nasty = fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '\0', '..', '../', 'é') });
  fc.assert(
    fc.property(fc.oneof(fc.string(), nasty), (key) => {
      let path: string;
      try {
        path = objectPath(here, key);
      } catch (error) {
        expect(error).toMatchObject({ name: 'StorageKeyError' });
        return;
      }
      expect(path.startsWith('tenant/author/name/')).toBe(true);
      expect(join('/base', path)).toBe(`/base/${path}`);
      expect(path).not.toMatch(/\/$|\/\.\.?(\/|$)|\0/);
    }),
  );
});

test.each([
  { tenantId: '..', pluginId: 'a/b' },
  { tenantId: '', pluginId: 'a/b' },
  { tenantId: 'a/b', pluginId: 'c' },
  { tenantId: 'a', pluginId: '../b' },
  { tenantId: 'a', pluginId: '' },
  { tenantId: 'a\\b', pluginId: 'c' },
])('namespace %j is refused', (namespace) => {
  expect(() => objectPath(namespace, 'key')).toThrow('invalid namespace');
});

test('keys over 256 bytes can be read and deleted, not written', async () => {
  const { storage } = memoryStorage();
  const key = 'é'.repeat(129);
  await expect(storage.set(here, key, bytes(1), undefined)).rejects.toThrow(
    'key length must be less than 256 characters',
  );
  await storage.set(here, 'é'.repeat(128), bytes(1), undefined);
  expect(await storage.get(here, key)).toBeUndefined();
  expect(await storage.delete(here, key)).toBe(false);
});

test('the quota counts what is stored: growing, shrinking, deleting', async () => {
  const { storage, sizes } = memoryStorage();
  const size = (): number | undefined => sizes.get('tenant/author/name');
  await storage.set(here, 'a', bytes(100), 150);
  await storage.set(here, 'b', bytes(50), 150);
  expect(size()).toBe(150);
  await expect(storage.set(here, 'c', bytes(1), 150)).rejects.toThrow(
    /^allocated size is greater than max storage size \(150 of 150 bytes.*PERSISTENCE_STORAGE_MAX_SIZE/,
  );
  expect(await storage.exists(here, 'c')).toBe(false);
  await storage.set(here, 'a', bytes(100), 150);
  await storage.set(here, 'a', bytes(10), 150);
  expect(size()).toBe(60);
  expect(await storage.delete(here, 'a')).toBe(true);
  expect(await storage.delete(here, 'a')).toBe(false);
  expect(size()).toBe(50);
});

test('the deployment limit holds whatever the manifest says', async () => {
  const { storage } = memoryStorage({ maxSize: 10 });
  await expect(storage.set(here, 'a', bytes(11), 1000)).rejects.toThrow('allocated size');
  await expect(storage.set(here, 'a', bytes(11), undefined)).rejects.toThrow('allocated size');
  await storage.set(here, 'a', bytes(10), 1000);
});

test('over quota nothing is overwritten', async () => {
  const { storage } = memoryStorage();
  await storage.set(here, 'a', Buffer.from('old'), 10);
  await expect(storage.set(here, 'a', bytes(11), 10)).rejects.toThrow('allocated size');
  expect(String(await storage.get(here, 'a'))).toBe('old');
});

test('a failed write gives its bytes back', async () => {
  const objects = await localObjects();
  const failing: PluginObjects = {
    read: (key) => objects.read(key),
    stat: (key) => objects.stat(key),
    delete: (key) => objects.delete(key),
    write: () => Promise.reject(new Error('disk full')),
  };
  const { storage, sizes } = memoryStorage({ objects: failing });
  await expect(storage.set(here, 'a', bytes(5), undefined)).rejects.toThrow('disk full');
  expect(sizes.get('tenant/author/name')).toBe(0);
});

describe.each([
  ['memory', async () => memoryStorage()],
  ['files', async () => memoryStorage({ objects: await localObjects() })],
])('in parallel, over %s', (_name, create) => {
  test('many keys cannot pass the limit together', async () => {
    const { storage, sizes } = await create();
    const writes = Array.from({ length: 40 }, (_, i) => storage.set(here, `k${i}`, bytes(100), 1000));
    const written = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled');
    expect(written).toHaveLength(10);
    expect(sizes.get('tenant/author/name')).toBe(1000);
  });

  test('any mix of operations leaves the sum of what is stored', async () => {
    const operation = fc.record({
      key: fc.constantFrom('a', 'b', 'dir/c'),
      length: fc.option(fc.integer({ min: 0, max: 60 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (operations) => {
        const { storage, sizes } = await create();
        await Promise.allSettled(
          operations.map(({ key, length }) =>
            length === null ? storage.delete(here, key) : storage.set(here, key, bytes(length), 100),
          ),
        );
        let sum = 0;
        for (const key of ['a', 'b', 'dir/c']) sum += (await storage.get(here, key))?.length ?? 0;
        expect(sizes.get('tenant/author/name') ?? 0).toBe(sum);
        expect(sum).toBeLessThanOrEqual(100);
      }),
      { numRuns: 40 },
    );
  });

  test('the last of many writes of one key wins, and all are answered', async () => {
    const { storage } = await create();
    const values = Array.from({ length: 50 }, (_, i) => Buffer.from(String(i).padStart(3, '0')));
    await Promise.all(values.map((value) => storage.set(here, 'k', value, undefined)));
    expect(String(await storage.get(here, 'k'))).toBe('049');
  });

  test('a delete between writes keeps its place', async () => {
    const { storage } = await create();
    const deleted: Promise<boolean>[] = [];
    const writes: Promise<void>[] = [];
    for (const text of ['1', '2']) writes.push(storage.set(here, 'k', Buffer.from(text), undefined));
    deleted.push(storage.delete(here, 'k'));
    writes.push(storage.set(here, 'k', Buffer.from('3'), undefined));
    await Promise.all(writes);
    expect(await Promise.all(deleted)).toEqual([true]);
    expect(String(await storage.get(here, 'k'))).toBe('3');
    await Promise.all([storage.set(here, 'k', Buffer.from('4'), undefined), storage.delete(here, 'k')]);
    expect(await storage.exists(here, 'k')).toBe(false);
  });
});

test('a key that is a directory holds no value and cannot be deleted', async () => {
  const { storage } = memoryStorage({ objects: await localObjects() });
  await storage.set(here, 'dir/a', bytes(1), undefined);
  expect(await storage.exists(here, 'dir')).toBe(false);
  expect(await storage.get(here, 'dir')).toBeUndefined();
  expect(await storage.delete(here, 'dir')).toBe(false);
  expect(await storage.get(here, 'dir/a')).toEqual(bytes(1));
});
