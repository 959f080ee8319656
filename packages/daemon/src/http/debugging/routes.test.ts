import { afterEach, expect, test } from 'vitest';
import { openMemoryCache } from '../../cache/index.ts';
import { DebuggingKeys } from '../../runtimes/debugging/index.ts';
import { createHttpServer } from '../server.ts';
import { debuggingRoutes } from './routes.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

test('a key is handed out to those who have the server key, again and again, until it is rotated', async () => {
  const cache = openMemoryCache({ onListenerError: (error) => expect.fail(String(error)) });
  const keys = new DebuggingKeys({ cache });
  const server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'k',
    routes: debuggingRoutes({ keys }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  closers.push(() => server.close(AbortSignal.abort()));
  closers.push(() => cache.close());
  const post = async (path: string, key = 'k') => {
    const response = await server.app.inject({
      method: 'POST',
      url: `/plugin/t${path}`,
      headers: { 'x-api-key': key },
    });
    return { status: response.statusCode, key: response.json().data?.key as string };
  };
  const first = await post('/debugging/key');
  expect(first).toEqual({ status: 200, key: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(await post('/debugging/key')).toEqual(first);
  const second = await post('/debugging/key/rotate');
  expect(second.key).not.toBe(first.key);
  expect(await post('/debugging/key')).toEqual(second);
  expect([await keys.tenantOf(first.key), await keys.tenantOf(second.key)]).toEqual([undefined, 't']);
  expect((await post('/debugging/key', 'bad')).status).toBe(401);
});
