/** Each driver against a server that takes requests only as the public documentation of its store says. */
import { afterEach, describe, expect, test } from 'vitest';
import { storageConformance } from '../conformance.suite.ts';
import type { ObjectStorage } from '../object-storage.ts';
import { type FakeStore, openFakeStore } from './testing/fake-store.ts';
import { stores } from './testing/stores.ts';

describe.each(stores)('$name', ({ name, vendor, open }) => {
  let fake: FakeStore | undefined;
  let storage: ObjectStorage | undefined;
  afterEach(async () => {
    await storage?.close();
    await fake?.close();
    storage = undefined;
    fake = undefined;
  });
  const opened = async (secret?: string, root?: string) => {
    fake = await openFakeStore(vendor);
    storage = await open(fake.port, secret, root);
    return { fake, storage };
  };

  storageConformance(name, async () => {
    const server = await openFakeStore(vendor);
    const conforming = await open(server.port);
    return {
      storage: conforming,
      close: async () => {
        await conforming.close();
        await server.close();
      },
    };
  });

  test('it works', async () => {
    const { storage } = await opened();
    expect(await storage.problem()).toBeUndefined();
  });

  test('more keys than a page holds', async () => {
    const { fake, storage } = await opened();
    const names = Array.from({ length: 250 }, (_, n) => `n${n}`);
    for (const key of names) fake.objects.set(`many/${key}`, Buffer.from('x'));
    fake.objects.set('many/', Buffer.alloc(0));
    expect((await storage.list('many')).toSorted()).toEqual(names.toSorted());
  });

  test('keys of every kind', async () => {
    const { fake, storage } = await opened();
    const keys = ['a b', "it's (1)*!~", 'a+b=c&d;e', '%41', 'ä/日本/🎈', '<&>"', ' spaced ', '12', '?x#y', 'C:\u00a0x'];
    for (const key of keys) {
      await storage.write(`odd/${key}`, Buffer.from(key));
      expect(String(await storage.read(`odd/${key}`))).toBe(key);
      expect(await storage.copy(`odd/${key}`, `copied/${key}`)).toBe(true);
    }
    expect((await storage.list('odd')).toSorted()).toEqual(keys.toSorted());
    expect((await storage.list('copied')).toSorted()).toEqual(keys.toSorted());
    for (const key of keys) expect(await storage.delete(`odd/${key}`)).toBe(true);
    expect([...fake.objects.keys()].filter((key) => key.startsWith('odd/'))).toEqual([]);
  });

  test('20 MB in one piece and as a stream', async () => {
    const { storage } = await opened();
    const bytes = Buffer.alloc(20 * 1024 * 1024, 'object stores ');
    await storage.write('big', bytes);
    async function* parts() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    }
    await storage.write('streamed', parts());
    expect((await storage.read('streamed'))?.equals(bytes)).toBe(true);
    expect((await storage.read('big'))?.equals(bytes)).toBe(true);
  });

  test('a wrong secret is refused, and is the cause', async () => {
    const { storage } = await opened('wrong');
    await expect(storage.read('a')).rejects.toMatchObject({ kind: 'internal' });
    await expect(storage.exists('a')).rejects.toThrow(/cannot look up a in the bucket /);
    expect(await storage.problem()).toMatch(/credentials that may read/);
  });
});
