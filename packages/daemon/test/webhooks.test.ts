/** Webhooks through a whole daemon: a real plugin process behind a hook, and strangers in front of it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeDify } from '@plugin-daemon/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ONE, OTHER, TestDaemon } from './harness.ts';
import { hookPackage } from './plugins/package.ts';

const SECRETS = /hunter2|postgres|OperationalError|Traceback|main\.py/;
let dify: Awaited<ReturnType<typeof startFakeDify>>;
let daemon: TestDaemon;
let hook: string;

beforeAll(async () => {
  dify = await startFakeDify({ key: 'inner-key' });
  daemon = await TestDaemon.start({ innerApi: { url: dify.url, key: 'inner-key' } });
  const identifier = await daemon.install(
    hookPackage('hook', [{ name: 'token', type: 'secret-input', required: true, label: { en_US: 'Token' } }]),
  );
  await daemon.client().call('POST', '/endpoint/setup', {
    plugin_unique_identifier: identifier,
    user_id: 'u',
    name: 'hook',
    settings: { token: 'a token of mine' },
  });
  const [endpoint] = await daemon.client().call<{ hook_id: string }[]>('GET', '/endpoint/list?page=1&page_size=10');
  if (endpoint === undefined) throw new Error('the endpoint is missing');
  hook = `/e/${endpoint.hook_id}`;
}, 240_000);

afterAll(async () => {
  await daemon?.close();
  await dify?.close();
});

const call = (path: string, body: string | Buffer | AsyncIterable<Buffer> = '') =>
  daemon.answer('POST', hook + path, { key: false, body });
const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** Sends a request by hand; resolves to all that comes back. */
async function bare(send: (socket: Socket) => void | Promise<void>): Promise<string> {
  const { hostname, port } = new URL(daemon.process.url);
  const socket = connect(Number(port), hostname);
  const got: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => got.push(bytes)).on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  await send(socket);
  await closed;
  return Buffer.concat(got).toString('latin1');
}

test('the plugin gets the request whole, with the settings that Dify decrypts', async () => {
  const seen = await call('/seen?a=%2F', 'grüße');
  expect([seen.status, JSON.parse(seen.text)]).toEqual([
    200,
    ['POST /seen?a=%2F HTTP/1.1', 7, digest(Buffer.from('grüße'))],
  ]);
  expect(JSON.parse((await call('/settings')).text)).toEqual({ token: 'a token of mine' });
});

test('a body of many megabytes arrives as it was sent, announced or in pieces', async () => {
  const body = Buffer.from(Array.from({ length: 9 << 20 }, (_, at) => (at * 31) & 0xff));
  const pieces = async function* () {
    for (let at = 0; at < body.length; at += 1 << 20) yield body.subarray(at, at + (1 << 20));
  };
  for (const form of [body, pieces()]) {
    const { status, text } = await call('/seen', form);
    expect([status, JSON.parse(text)]).toEqual([200, ['POST /seen HTTP/1.1', body.length, digest(body)]]);
  }
});

test('a body that comes slowly is waited for', async () => {
  const got = await bare(async (socket) => {
    socket.write(`POST ${hook}/seen HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 6\r\n\r\n`);
    for (const piece of ['sl', 'ow', 'ly']) {
      await sleep(30);
      socket.write(piece);
    }
  });
  expect(got).toMatch(/^HTTP\/1\.1 200 /);
  expect(got).toContain(digest(Buffer.from('slowly')));
});

test('a plugin that reads late gets everything that came meanwhile', async () => {
  const body = Buffer.alloc(2 << 20, 'x');
  const [slept, ...others] = await Promise.all([
    call('/sleeps'),
    ...Array.from({ length: 6 }, () => call('/seen', body)),
  ]);
  expect(slept?.text).toBe('slept');
  for (const { text } of others) expect(JSON.parse(text).slice(1)).toEqual([body.length, digest(body)]);
});

test('a target in absolute form counts as its path', async () => {
  const got = await bare((socket) => {
    socket.write(`GET http://other.example${hook}/seen?x=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  });
  expect(got).toContain('["GET /seen?x=1 HTTP/1.1", 0,');
});

test('raw UTF-8 in a target is refused, escaped it reaches the plugin', async () => {
  const refused = await bare((socket) => {
    socket.write(`GET ${hook}/grüße HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  });
  expect(refused).toMatch(/^HTTP\/1\.1 400 /);
  const escaped = await daemon.answer('GET', `${hook}/gr%C3%BC%C3%9Fe`, { key: false });
  expect(JSON.parse(escaped.text)[0]).toBe('GET /gr%C3%BC%C3%9Fe HTTP/1.1');
});

test('what acts on the whole origin is left out, documents are sandboxed', async () => {
  const response = await daemon.request('POST', `${hook}/says`, {
    key: false,
    body: JSON.stringify({
      headers: {
        'Content-Type': 'text/html',
        'Set-Cookie': 'a=1; Path=/; Domain=example.com',
        'Service-Worker-Allowed': '/',
        'Clear-Site-Data': '"*"',
        'X-Own': 'stays',
      },
      body: '<script>1</script>',
    }),
  });
  response.resume();
  expect(response.headers).toMatchObject({
    'set-cookie': [`a=1; Path=${hook}`],
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining('sandbox'),
    'x-own': 'stays',
  });
  expect(response.headers['service-worker-allowed']).toBeUndefined();
  expect(response.headers['clear-site-data']).toBeUndefined();
});

test.each([
  ['raises', 'hunter2 refused'],
  ['dies', 'exit code 3'],
])(
  'a plugin that %s: the caller gets an id, its tenant the cause, and the next call is served',
  async (path, cause) => {
    const { status, text } = await call(`/${path}`);
    expect(status).toBe(500);
    expect(text).not.toMatch(SECRETS);
    const { error_id: id } = JSON.parse(JSON.parse(text).message).args;
    const of = (tenant: string, key = true) =>
      daemon.answer('GET', `/plugin/${tenant}/endpoint/failure?error_id=${id}`, { key });
    const known = JSON.parse((await of(ONE)).text);
    expect(known.data).toMatchObject({ error_id: id, error: expect.stringContaining(cause) });
    for (const hidden of [await of(OTHER), await of(ONE, false)]) expect(hidden.text).not.toMatch(SECRETS);
    expect((await of(ONE, false)).status).toBe(401);
    expect(daemon.log).toContain(id);
    expect((await call('/seen')).status).toBe(200);
  },
);

test('nothing is left over', async () => {
  await daemon.expectIdle();
});
