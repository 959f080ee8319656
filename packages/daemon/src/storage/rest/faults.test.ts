/** What these stores do on a bad day. */
import { afterEach, describe, expect, test } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { type FakeStore, type Fault, openFakeStore } from './testing/fake-store.ts';
import { stores } from './testing/stores.ts';

const says =
  (status: number, body = '', headers: Record<string, string> = {}): Fault =>
  (request, response) => {
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
const halfAnswer: Fault = (_request, response) => {
  response.writeHead(200, { 'Content-Length': 10 });
  response.write('half');
  setTimeout(() => response.destroy(), 10);
};
const cut: Fault = (request) => request.socket.destroy();
const page = '<!DOCTYPE html><html><body>404 Not Found</body></html>';

describe.each(stores)('$name', ({ vendor, open }) => {
  let opened: { fake: FakeStore; storage: ObjectStorage } | undefined;
  afterEach(async () => {
    await opened?.storage.close();
    await opened?.fake.close();
    opened = undefined;
  });
  const start = async () => {
    const fake = await openFakeStore(vendor);
    opened = { fake, storage: await open(fake.port) };
    return opened;
  };
  const error = (code: string) =>
    vendor.format === 'xml'
      ? `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`
      : JSON.stringify(vendor.format === 'json' ? { Code: code, Message: 'm' } : { code, message: 'm' });

  test('"later" and cut connections are asked again, also with a body', async () => {
    const { fake, storage } = await start();
    fake.fail([says(503, error('SlowDown')), cut, says(429)]);
    await storage.write('a', Buffer.from('bytes'));
    fake.fail([says(503), says(500)]);
    expect(String(await storage.read('a'))).toBe('bytes');
    expect(fake.asked).toEqual([...Array(4).fill(`PUT ${vendor.base}a`), ...Array(3).fill(`GET ${vendor.base}a`)]);
  });

  test('"later" without end is that the store cannot be reached, for every verb', async () => {
    const { fake, storage } = await start();
    fake.fail([says(503, error('SlowDown'))], { forever: true });
    const verbs = [
      storage.read('a'),
      storage.exists('a'),
      storage.stat('a'),
      storage.list('a'),
      storage.delete('a'),
      storage.copy('a', 'b'),
      storage.write('a', Buffer.from('x')),
      storage.readStream('a'),
    ];
    for (const result of await Promise.allSettled(verbs)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    }
    expect(await storage.problem()).toMatch(/cannot use in the bucket b.* of /);
  });

  test('a body that breaks off is asked for again, and fails as such when it always does', async () => {
    const { fake, storage } = await start();
    await storage.write('a', Buffer.from('0123456789'));
    fake.fail([halfAnswer, halfAnswer]);
    expect(String(await storage.read('a'))).toBe('0123456789');
    fake.fail([halfAnswer], { forever: true });
    await expect(storage.read('a')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test.each([
    ['another page than a store’s', says(404, page)],
    ['a bucket that is not there', says(404, error('NoSuchBucket'))],
    ['no right to look', says(403, error('AccessDenied'))],
    ['a redirect', says(301, error('PermanentRedirect'))],
    ['nonsense with status 200', says(200, page)],
    ['JSON of somebody else', says(200, '{"ok":true}')],
    ['XML of somebody else', says(200, '<a><Contents><Key>x</Key></Contents></a>')],
    ['deep XML', says(200, '<a>'.repeat(100_000))],
    [
      'a list that says of no next page',
      says(200, '<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated></ListBucketResult>'),
    ],
  ])('%s is not taken for an empty list', async (_what, answer) => {
    const { fake, storage } = await start();
    fake.fail([answer], { forever: true });
    await expect(storage.list('plugin')).rejects.toMatchObject({ kind: 'internal' });
  });

  test.each([
    ['another page than a store’s', says(404, page)],
    ['a bucket that is not there', says(404, error('NoSuchBucket'))],
    ['no right to look', says(403, error('AccessDenied'))],
    ['a redirect', says(301, error('PermanentRedirect'))],
  ])('%s is not taken for absence of an object', async (_what, answer) => {
    const { fake, storage } = await start();
    // The bucket has been seen.
    expect(await storage.exists('a')).toBe(false);
    fake.fail([answer], { forever: true });
    await expect(storage.read('a')).rejects.toMatchObject({ kind: 'internal' });
    await expect(storage.copy('a', 'b')).rejects.toMatchObject({ kind: 'internal' });
  });

  test('a page of somebody else has no object to tell of where there is no body either', async () => {
    const { fake, storage } = await start();
    expect(await storage.exists('a')).toBe(false);
    fake.fail([says(404)], { forever: true });
    await expect(storage.exists('a')).rejects.toMatchObject({ kind: 'internal' });
  });

  test('a copy that fails after its status is no copy', async () => {
    const { fake, storage } = await start();
    await storage.write('a', Buffer.from('x'));
    fake.fail([says(200, error('InternalError'))]);
    await expect(storage.copy('a', 'b')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('nobody there is that the store cannot be reached', async () => {
    const { fake, storage } = await start();
    await fake.close();
    await expect(storage.exists('a')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a signal ends the waiting for a silent store', async () => {
    const { fake, storage } = await start();
    fake.fail([() => undefined], { forever: true });
    const controller = new AbortController();
    const waiting = [
      storage.read('a', controller.signal),
      storage.list('a', controller.signal),
      storage.write('a', Buffer.from('x'), controller.signal),
    ];
    controller.abort(new Error('given up'));
    for (const result of await Promise.allSettled(waiting)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: 'given up' } });
    }
  });
});

test('the key prefix of Aliyun stands before every key, and is not seen', async () => {
  const { vendor, open } = stores[0] ?? expect.unreachable();
  const fake = await openFakeStore(vendor);
  const storage = await open(fake.port, undefined, 'dify/plugins');
  await storage.write('plugin/a', Buffer.from('x'));
  expect([...fake.objects.keys()]).toEqual(['dify/plugins/plugin/a']);
  expect(await storage.list('plugin')).toEqual(['a']);
  expect(await storage.copy('plugin/a', 'b')).toBe(true);
  expect(await storage.list('')).toEqual(['b', 'plugin/a']);
  await storage.close();
  await fake.close();
});
