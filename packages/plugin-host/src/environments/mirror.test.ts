import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { detectMirror } from './mirror.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(delayMs: number, status = 200): Promise<string> {
  const server = createServer((request, response) => {
    expect(request.method).toBe('HEAD');
    if (delayMs >= 0) setTimeout(() => response.writeHead(status).end(), delayMs);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`;
}

const proxies = { http: undefined, https: undefined, no: undefined };
const detect = (
  candidates: string[],
  official: string | undefined,
  more: { url?: string; autoDetect?: boolean } = {},
) =>
  detectMirror(
    { url: more.url, autoDetect: more.autoDetect ?? true, candidates, timeoutSeconds: 1 },
    proxies,
    async () => official,
  );

test('a configured mirror is taken unseen, and nothing is probed when detection is off or has no candidates', async () => {
  expect(await detect(['http://127.0.0.1:1/'], 'http://127.0.0.1:1/', { url: 'http://mine/' })).toBe('http://mine/');
  expect(await detect([await serve(0)], undefined, { autoDetect: false })).toBeUndefined();
  expect(await detect([' '], undefined)).toBeUndefined();
});

test('the fastest usable candidate wins when it clearly beats the public index', async () => {
  const [fast, slow, broken, silent] = [await serve(0), await serve(150), await serve(0, 503), await serve(-1)];
  expect(await detect([slow, broken, silent, fast], await serve(600))).toBe(fast);
  expect(await detect([slow, 'not a url'], 'http://127.0.0.1:1/')).toBe(slow);
  expect(await detect([slow], undefined)).toBe(slow);
});

test('no mirror when none is usable or none is faster', async () => {
  expect(await detect([await serve(300)], await serve(0))).toBeUndefined();
  expect(await detect([await serve(0, 404), 'http://127.0.0.1:1/', await serve(-1)], await serve(0))).toBeUndefined();
});
