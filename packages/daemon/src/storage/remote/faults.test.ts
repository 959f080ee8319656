/** What a store does on a bad day, by a server that speaks just enough of S3. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { ObjectStorage } from '../object-storage.ts';
import { openS3Storage } from '../s3/index.ts';

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A store that gives these answers in turn, and the last one from then on; with what was asked. */
async function storeThat(...answers: readonly Answer[]): Promise<{ storage: ObjectStorage; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split('?')[0]}`);
    request.resume();
    (answers[asked.length - 1] ?? answers.at(-1))?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const storage = await openS3Storage({
    bucket: 'b',
    region: 'r',
    endpoint: `http://127.0.0.1:${address.port}`,
    pathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  close = async () => {
    await storage.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { storage, asked };
}

const says =
  (status: number, body = '', headers: Record<string, string> = {}): Answer =>
  (request, response) => {
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body), ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
const later = says(503, '<Error><Code>SlowDown</Code><Message>later</Message></Error>');
const xml = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`;
const page = '<html><body>404 Not Found</body></html>';

test('"later" is asked again', async () => {
  const { storage, asked } = await storeThat(later, later, says(200, 'bytes'));
  expect(String(await storage.read('a'))).toBe('bytes');
  expect(asked).toHaveLength(3);
});

test('"later" without end is that the store cannot be reached, for every verb', async () => {
  const { storage } = await storeThat(later);
  const verbs = [
    () => storage.read('a'),
    () => storage.exists('a'),
    () => storage.stat('a'),
    () => storage.list('a'),
    () => storage.delete('a'),
    () => storage.copy('a', 'b'),
    () => storage.write('a', Buffer.from('x')),
    () => storage.readStream('a'),
  ];
  for (const verb of verbs) {
    await expect(verb()).rejects.toMatchObject({ kind: 'unavailable' });
  }
  expect(await storage.problem()).toMatch(/cannot use in the bucket b of http.*/);
});

test('a body that breaks off is asked for again', async () => {
  const half: Answer = (_request, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('half');
    setTimeout(() => response.destroy(), 10);
  };
  const { storage } = await storeThat(half, half, says(200, '0123456789'));
  expect(String(await storage.read('a'))).toBe('0123456789');
});

test('a body that always breaks off fails as such', async () => {
  const { storage } = await storeThat((_request, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('half');
    setTimeout(() => response.destroy(), 10);
  });
  await expect(storage.read('a')).rejects.toMatchObject({ kind: 'unavailable' });
});

test.each([
  ['another page than a store’s', says(404, page, { 'Content-Type': 'text/html' })],
  ['a bucket that is not there', says(404, xml('NoSuchBucket'))],
  ['no right to look', says(403, xml('AccessDenied'))],
  ['nonsense with status 200', says(200, page)],
])('%s is not taken for absence when it answers for a list', async (_what, answer) => {
  const { storage } = await storeThat(answer);
  await expect(storage.list('plugin')).rejects.toMatchObject({ kind: expect.stringMatching(/internal|unavailable/) });
});

test.each([
  ['another page than a store’s', says(404, page, { 'Content-Type': 'text/html' })],
  ['a bucket that is not there', says(404, xml('NoSuchBucket'))],
  ['no right to look', says(403, xml('AccessDenied'))],
  ['a redirect', says(301, xml('PermanentRedirect'))],
])('%s is not taken for absence when it answers for an object', async (_what, answer) => {
  const { storage } = await storeThat(answer);
  for (const ask of [() => storage.read('a'), () => storage.exists('a'), () => storage.delete('a')]) {
    await expect(ask()).rejects.toMatchObject({ kind: 'internal' });
  }
});

test('nobody there is that the store cannot be reached', async () => {
  const { storage } = await storeThat(later);
  await close?.();
  close = undefined;
  await expect(storage.exists('a')).rejects.toMatchObject({ kind: 'unavailable' });
});

test('a signal ends the waiting for a silent store', async () => {
  const { storage } = await storeThat(() => undefined);
  const controller = new AbortController();
  const reading = storage.read('a', controller.signal);
  controller.abort(new Error('given up'));
  await expect(reading).rejects.toThrow('given up');
});
