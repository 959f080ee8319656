import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectStorage } from './object-storage.ts';

const uid = `langgenius/openai:0.2.7@${'ab'.repeat(32)}`;

/** What every driver does, run over the given one. */
export function storageConformance(
  name: string,
  open: () => Promise<{ storage: ObjectStorage; close: () => Promise<void> }>,
): void {
  describe(`object storage: ${name}`, () => {
    let storage: ObjectStorage;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ storage, close } = await open());
    });
    afterAll(() => close());

    test('an object is read as it was written, and replaced as a whole', async () => {
      const key = `plugin_packages/${uid}`;
      await storage.write(key, Buffer.from([0, 255, 10, 13]));
      expect(await storage.read(key)).toEqual(Buffer.from([0, 255, 10, 13]));
      await storage.write(key, Buffer.from('x'));
      expect(await storage.read(key)).toEqual(Buffer.from('x'));
      expect(await storage.stat(key)).toEqual({ size: 1, lastModified: expect.any(Date) });
      expect(await storage.exists(key)).toBe(true);
    });

    test('an empty object exists', async () => {
      await storage.write('empty/object', new Uint8Array());
      expect(await storage.read('empty/object')).toEqual(Buffer.alloc(0));
      expect(await storage.exists('empty/object')).toBe(true);
    });

    test('absence is an answer', async () => {
      expect(await storage.read('no/such')).toBeUndefined();
      expect(await storage.readStream('no/such')).toBeUndefined();
      expect(await storage.stat('no/such')).toBeUndefined();
      expect(await storage.exists('no/such')).toBe(false);
      expect(await storage.delete('no/such')).toBe(false);
      expect(await storage.copy('no/such', 'other')).toBe(false);
      expect(await storage.exists('other')).toBe(false);
      expect(await storage.list('no/such')).toEqual([]);
    });

    test('a part of a key is no object', async () => {
      await storage.write('tree/branch/leaf', Buffer.from('1'));
      expect(await storage.exists('tree/branch')).toBe(false);
      expect(await storage.read('tree')).toBeUndefined();
      expect(await storage.readStream('tree')).toBeUndefined();
      expect(await storage.delete('tree/branch')).toBe(false);
      expect(await storage.exists('tree/branch/leaf')).toBe(true);
      expect(await storage.exists('tree/branch/leaf/below')).toBe(false);
    });

    test('streams in and out', async () => {
      const chunks = Array.from({ length: 50 }, (_, i) => Buffer.alloc(10_000, i));
      await storage.write('streamed', Readable.from(chunks));
      const found = await storage.readStream('streamed');
      expect(found?.size).toBe(500_000);
      expect(found && (await buffer(found.stream)).equals(Buffer.concat(chunks))).toBe(true);
    });

    test('a source that fails leaves the old object and nothing else', async () => {
      await storage.write('kept/object', Buffer.from('old'));
      async function* failing() {
        yield Buffer.from('new');
        throw new Error('the source broke');
      }
      await expect(storage.write('kept/object', failing())).rejects.toThrow('the source broke');
      expect(await storage.read('kept/object')).toEqual(Buffer.from('old'));
      expect(await storage.list('kept')).toEqual(['object']);
    });

    test('a copy is independent of its source', async () => {
      await storage.write('copy/from', Buffer.from('1'));
      expect(await storage.copy('copy/from', `plugin/${uid}`)).toBe(true);
      await storage.write('copy/from', Buffer.from('2'));
      expect(await storage.read(`plugin/${uid}`)).toEqual(Buffer.from('1'));
    });

    test('list is recursive, relative, and keeps to its own prefix', async () => {
      await storage.write('listed/a', Buffer.from(''));
      await storage.write('listed/b/c:1@d', Buffer.from(''));
      await storage.write('listed_too/e', Buffer.from(''));
      expect((await storage.list('listed')).toSorted()).toEqual(['a', 'b/c:1@d']);
      expect(await storage.list('')).toContain('listed_too/e');
    });

    test('delete removes one object', async () => {
      await storage.write('deleted/a', Buffer.from(''));
      await storage.write('deleted/b', Buffer.from(''));
      expect(await storage.delete('deleted/a')).toBe(true);
      expect(await storage.delete('deleted/a')).toBe(false);
      expect(await storage.list('deleted')).toEqual(['b']);
    });

    test('parallel writers of one key leave the bytes of one of them', async () => {
      const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100_000, i));
      await Promise.all(bodies.map((body) => storage.write('raced', body)));
      const read = await storage.read('raced');
      expect(bodies.some((body) => read?.equals(body))).toBe(true);
    });

    test.each(['', '.', '..', '../x', 'a/../b', 'a//b', '/a', 'a/', 'a/./b', 'a\\b', 'a\0b', 'a\nb'])(
      'the key %j is refused by every verb',
      async (key) => {
        const calls = [
          () => storage.read(key),
          () => storage.readStream(key),
          () => storage.write(key, Buffer.from('')),
          () => storage.copy(key, 'x'),
          () => storage.exists(key),
          () => storage.stat(key),
          () => storage.delete(key),
          ...(key === '' ? [] : [() => storage.list(key)]),
        ];
        for (const call of calls) {
          const error: unknown = await call().then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          expect(error).toBeInstanceOf(DaemonError);
          expect(error).toMatchObject({ kind: 'bad-request' });
        }
      },
    );
  });
}
