/** What a stranger may take: sizes, times, connections, tries; and which keys open what. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { FailedAttempts } from './failed-attempts.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions, maySeeDetails, route } from './index.ts';

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(options: Partial<HttpServerOptions> = {}) {
  const warnings: string[] = [];
  const open: (() => void)[] = [];
  const server: HttpServer = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'key',
    onFinished: () => undefined,
    onFault: () => undefined,
    onWarning: (warning) => void warnings.push(warning),
    routes: [
      route({ method: 'POST', group: 'plugin', path: '/x', tag: 't', summary: 's', handle: () => 1 }),
      route({ method: 'GET', group: 'admin', path: '/x', tag: 't', summary: 's', handle: () => 1 }),
      route({ method: 'GET', group: 'details', path: '/d', tag: 't', summary: 's', handle: () => 1 }),
      route({
        method: 'GET',
        group: 'probe',
        path: '/p',
        tag: 't',
        summary: 's',
        handle: ({ request }) => maySeeDetails(request),
      }),
      route({
        method: 'GET',
        group: 'public',
        path: '/wait',
        tag: 't',
        summary: 's',
        handle: () => new Promise<void>((resolve) => void open.push(resolve)),
      }),
      route({
        method: 'GET',
        group: 'public',
        path: '/ip',
        tag: 't',
        summary: 's',
        handle: ({ request }) => request.ip,
      }),
    ],
    ...options,
  });
  const { port } = await server.listen();
  closers.push(() => server.close(AbortSignal.abort()));
  const ask = async (
    path: string,
    headers: Record<string, string> = {},
    method = path === '/plugin/t/x' ? 'POST' : 'GET',
  ) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
    const text = await response.text();
    return { status: response.status, text, retryAfter: response.headers.get('retry-after') };
  };
  return { port, ask, warnings, open, server };
}

/** A connection that says something and waits for the end. */
function say(port: number, text: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  let received = '';
  socket.on('data', (bytes) => {
    received += bytes.toString();
  });
  socket.on('error', () => undefined);
  socket.write(text);
  return { socket, answer: once(socket, 'close').then(() => received) };
}

test('a head over the limit is 431', async () => {
  const { port, ask } = await serve({ limits: { headBytes: 65_536 } });
  expect((await ask('/p', { 'x-long': 'a'.repeat(60_000) })).status).toBe(200);
  const { answer } = say(port, `GET /p HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(70_000)}\r\n\r\n`);
  expect(await answer).toMatch(/^HTTP\/1\.1 431 /);
});

test.each(['', 'GET /p HTTP/1.1\r\nHost:', 'GET'])('a head that does not come is 408: %j', async (begun) => {
  const { port } = await serve({ limits: { headMs: 300 } });
  const { answer } = say(port, begun);
  expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
});

test('a body that does not come is 408; an answer may take longer', async () => {
  const { port, open, ask } = await serve({ limits: { headMs: 200, requestMs: 200 } });
  const waiting = ask('/wait');
  const head = 'POST /plugin/t/x HTTP/1.1\r\nHost: x\r\nX-Api-Key: key\r\nContent-Length: 10\r\n\r\n12345';
  expect(await say(port, head).answer).toMatch(/^HTTP\/1\.1 408 /);
  // The time of the request is long over, its answer is not.
  for (const answer of open) answer();
  expect((await waiting).status).toBe(200);
});

test('connections of an address without a key are limited, until it has had one', async () => {
  const { port, ask, warnings } = await serve({ limits: { strangersOfAddress: 2 } });
  const strangers = [say(port, 'GET '), say(port, 'GET ')];
  expect(await say(port, '').answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(warnings).toEqual(['too-many-of-address']);
  // A wrong key changes nothing.
  strangers[0]?.socket.destroy();
  const statusWith = (key: string) => ask('/plugin/t/x', { 'X-Api-Key': key, connection: 'close' });
  await expect.poll(async () => (await statusWith('wrong')).status).toBe(401);
  strangers.push(say(port, 'GET '));
  await expect.poll(async () => (await say(port, '').answer).slice(0, 12)).toBe('HTTP/1.1 503');
  // With the right one it calls plugins, and opens as many connections as that takes.
  strangers.pop()?.socket.destroy();
  await expect.poll(async () => (await statusWith('key')).status).toBe(200);
  const many = Array.from({ length: 5 }, () => say(port, 'GET '));
  expect((await ask('/p', { connection: 'close' })).status).toBe(200);
  expect(many.some(({ socket }) => socket.destroyed)).toBe(false);
});

test('connections are limited in all', async () => {
  const { port, warnings } = await serve({ limits: { connections: 2 } });
  const first = [say(port, 'GET '), say(port, 'GET ')];
  await Promise.all(first.map(({ socket }) => once(socket, 'connect')));
  expect(await say(port, '').answer).toBe('');
  expect(warnings).toEqual(['too-many-connections']);
});

test('open requests without a key are limited per address', async () => {
  const { ask, open } = await serve({ limits: { publicRequestsOfAddress: 2 } });
  const waiting = [ask('/wait'), ask('/wait')];
  await expect.poll(() => open.length).toBe(2);
  expect(await ask('/ip')).toMatchObject({ status: 429, retryAfter: '1' });
  expect((await ask('/plugin/t/x', { 'X-Api-Key': 'key' })).status).toBe(200);
  for (const answer of open) answer();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200]);
  await expect.poll(async () => (await ask('/ip')).status).toBe(200);
});

test('only a trusted proxy says whose request it is', async () => {
  const forwarded = { 'X-Forwarded-For': '203.0.113.7, 127.0.0.9' };
  const trusting = await serve({ trustedProxies: ['127.0.0.0/8'], limits: { failedAttemptsPerMinute: 1 } });
  expect(JSON.parse((await trusting.ask('/ip', forwarded)).text).data).toBe('203.0.113.7');
  const plain = await serve();
  expect(JSON.parse((await plain.ask('/ip', forwarded)).text).data).toBe('127.0.0.1');
  // A stranger behind the proxy is locked out, another one is not.
  expect((await trusting.ask('/plugin/t/x', forwarded)).status).toBe(401);
  expect((await trusting.ask('/plugin/t/x', { ...forwarded, 'X-Api-Key': 'key' })).status).toBe(429);
  const other = { 'X-Forwarded-For': '203.0.113.8', 'X-Api-Key': 'key' };
  expect((await trusting.ask('/plugin/t/x', other)).status).toBe(200);
});

test('wrong keys are answered with 429 after some; the loopback gets in with the right one', async () => {
  const { ask, warnings } = await serve({ limits: { failedAttemptsPerMinute: 3 } });
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) statuses.push((await ask('/plugin/t/x', { 'X-Api-Key': `wrong ${n}` })).status);
  expect(statuses).toEqual([401, 401, 401, 429, 429]);
  expect(warnings).toEqual(['blocked']);
  expect((await ask('/plugin/t/x', { 'X-Api-Key': 'wrong' })).retryAfter).toMatch(/^\d+$/);
  expect((await ask('/plugin/t/x', { 'X-Api-Key': 'key' })).status).toBe(200);
  // Whoever needs no key is not locked out.
  expect((await ask('/p')).status).toBe(200);
});

test('failed attempts: the minute passes, an address with the key is known, memory is bounded', () => {
  let now = 0;
  const attempts = new FailedAttempts({ perMinute: 2, now: () => now });
  for (let n = 0; n < 2; n++) attempts.failed('198.51.100.1');
  expect(attempts.waitOf('198.51.100.1')).toBe(60);
  expect(attempts.isKnown('198.51.100.1')).toBe(false);
  attempts.succeeded('198.51.100.1');
  expect(attempts.isKnown('198.51.100.1')).toBe(true);
  now = 60_000;
  expect(attempts.waitOf('198.51.100.1')).toBeUndefined();
  // One network of IPv6 counts as one; so does an IPv4 address written as IPv6.
  attempts.failed('2001:db8::1');
  attempts.failed('2001:db8:0:0:ffff::2');
  expect(attempts.waitOf('2001:db8::3')).toBe(60);
  expect(attempts.waitOf('2001:db8:1::3')).toBeUndefined();
  for (let n = 0; n < 2; n++) attempts.failed('::ffff:198.51.100.2');
  expect(attempts.waitOf('198.51.100.2')).toBe(60);
  // Those heard of longest ago are forgotten.
  for (let n = 0; n < 10_000; n++) attempts.failed(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);
  expect(attempts.waitOf('198.51.100.2')).toBeUndefined();
});

test('two keys open a group while callers change over, and the former one is named', async () => {
  const { ask, warnings } = await serve({ formerServerKey: 'old', adminKey: 'admin', formerAdminKey: 'old admin' });
  const statusWith = async (key: string) => (await ask('/plugin/t/x', { 'X-Api-Key': key })).status;
  expect([await statusWith('key'), await statusWith('old'), await statusWith('old')]).toEqual([200, 200, 200]);
  expect(warnings).toEqual(['former-key']);
  expect([await statusWith('admin'), await statusWith('')]).toEqual([401, 401]);
  for (const [key, status] of [
    ['admin', 200],
    ['old admin', 200],
    ['key', 401],
  ] as const)
    expect((await ask('/admin/x', { 'X-Admin-Api-Key': key })).status).toBe(status);
});

test('details are for everybody, or for those with a key', async () => {
  const basic = (password: string) => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;
  const open = await serve();
  expect((await open.ask('/d')).status).toBe(200);
  expect(JSON.parse((await open.ask('/p')).text).data).toBe(true);
  const closed = await serve({ detailsNeedKey: true, detailsKey: 'details', adminKey: 'admin' });
  const tries: readonly [Record<string, string>, number][] = [
    [{}, 401],
    [{ 'X-Api-Key': 'wrong' }, 401],
    [{ Authorization: 'Bearer wrong' }, 401],
    [{ Authorization: 'Bearer' }, 401],
    [{ Authorization: basic('') }, 401],
    [{ 'X-Api-Key': 'key' }, 200],
    [{ 'X-Admin-Api-Key': 'admin' }, 200],
    [{ Authorization: 'Bearer details' }, 200],
    [{ Authorization: basic('key') }, 200],
  ];
  for (const [headers, status] of tries) {
    expect([headers, (await closed.ask('/d', headers)).status]).toEqual([headers, status]);
    const probe = await closed.ask('/p', headers);
    expect([headers, probe.status, JSON.parse(probe.text).data]).toEqual([headers, 200, status === 200]);
  }
  // The key of the details opens nothing else.
  expect((await closed.ask('/plugin/t/x', { 'X-Api-Key': 'details' })).status).toBe(401);
});
