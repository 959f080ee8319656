import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import { afterEach, expect, test } from 'vitest';
import type { EndpointRecord } from '../../database/index.ts';
import { StoredDeclaration } from '../../database/index.ts';
import type { CallOptions, Session, SessionOutput } from '../../invocation/index.ts';
import type { Placement } from '../../routing/index.ts';
import { createHttpServer } from '../server.ts';
import { RecentFailures, type WebhookDeps, webhookFailureRoutes, webhookRoutes } from './index.ts';

const HOOK = 'abcdefgh12345678';
const endpoint: EndpointRecord = {
  id: 'e1',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  name: 'n',
  hook_id: HOOK,
  tenant_id: 't',
  user_id: 'u',
  plugin_id: 'a/p',
  expired_at: '2050-01-01T00:00:00.000Z',
  enabled: true,
  settings: { mode: 'x' },
};
const declaration = new StoredDeclaration(
  'a/p:0.0.1@x',
  'a/p',
  JSON.stringify({ endpoint: { settings: [], endpoints: [] } }),
);

/** What a plugin may say, and how it learns that nobody listens any more. */
interface Line {
  readonly data: string;
  readonly left: AbortSignal;
  say(value: unknown): void;
  flush(): void;
  end(): void;
  fail(error: SessionError): void;
}
type Plugin = (line: Line) => unknown;

/** Invocations with one plugin behind them: payloads are read by the action's reader as a session does. */
function invocationsWith(plugin: Plugin): WebhookDeps['invocations'] {
  return {
    async open(call: CallOptions, output: SessionOutput): Promise<Session> {
      const left = new AbortController();
      const read = call.action.answer.reader();
      const line: Line = {
        data: call.data,
        left: left.signal,
        say(value) {
          const answer = read(Buffer.from(JSON.stringify(value)).toString('latin1'));
          if (typeof answer === 'string') output.chunk(answer);
          else if (answer !== undefined) output.fail({ from: 'plugin', error: answer });
        },
        flush: () => output.flush(),
        end: () => output.end(),
        fail: (error) => output.fail({ from: 'plugin', error }),
      };
      await plugin(line);
      return { leave: () => left.abort() } as unknown as Session;
    },
  };
}

const placed = (stored: StoredDeclaration | undefined): Placement => ({
  identifier: 'a/p:0.0.1@x',
  runtimeType: 'local',
  where: { at: 'here' },
  declaration: async () => stored,
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The routes behind the real server. */
async function serve(plugin: Plugin, over: Partial<WebhookDeps> = {}) {
  const failures = new RecentFailures();
  const warnings: string[] = [];
  const logged: Record<string, unknown>[] = [];
  const note = (fields: object, message: string): void => {
    warnings.push(message);
    logged.push({ ...fields });
  };
  const log = { warn: note, error: note };
  const deps: WebhookDeps = {
    database: {
      endpoints: { findByHookId: async (id: string) => (id === HOOK ? endpoint : undefined) },
    } as unknown as WebhookDeps['database'],
    routing: { find: () => placed(declaration) },
    endpoints: { settingsFor: async () => ({ mode: 'x' }) },
    invocations: invocationsWith(plugin),
    timeoutMs: 60_000,
    maxBodyBytes: 10 << 20,
    maxBufferedBytes: 1 << 20,
    bufferSetting: 'SESSION_BUFFER_BYTES',
    bodies: new ByteBudget({ what: 'bodies of webhooks', total: 64 << 20, perOwner: 16 << 20, setting: 'BODIES' }),
    answers: new ByteBudget({ what: 'answers', total: 64 << 20 }),
    origin: { shared: true, sandbox: 'allow-scripts' },
    showFailures: true,
    log,
    failures,
    ...over,
  };
  const faults: unknown[] = [];
  const server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'k',
    routes: [...webhookRoutes(deps), ...webhookFailureRoutes({ failures })],
    onFinished: () => undefined,
    onFault: (error) => void faults.push(error),
  });
  const { port } = await server.listen();
  closers.push(() => server.close(AbortSignal.abort()));
  return { port, warnings, logged, faults, deps, url: (path: string) => `http://127.0.0.1:${port}/e/${HOOK}${path}` };
}

const hex = (text: string): string => Buffer.from(text).toString('hex');
/** A plugin that says these parts, all at once, and ends. */
const says =
  (...parts: unknown[]): Plugin =>
  (line) => {
    for (const value of parts) line.say(value);
    line.end();
  };

/** A plugin that answers with the raw request it got. */
const echo: Plugin = (line) => {
  const { raw_http_request } = JSON.parse(line.data) as { raw_http_request: string };
  line.say({ status: 200, headers: { 'Content-Type': 'text/plain' }, result: raw_http_request });
  line.flush();
  line.end();
};

const answer = async (response: Response) => ({ status: response.status, body: await response.text() });

/** What an error envelope says. */
const messageOf = (body: string): string =>
  (JSON.parse((JSON.parse(body) as { message: string }).message) as { message: string }).message;

/** Sends bytes on a bare connection and reads until the other side closes. */
async function bare(port: number, send: (socket: net.Socket) => void): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => got.push(bytes)).on('error', () => undefined);
  await once(socket, 'connect');
  send(socket);
  await once(socket, 'close');
  return Buffer.concat(got).toString('latin1');
}

test('the plugin sees the request, the caller the answer', async () => {
  const { url } = await serve(echo);
  const response = await fetch(url('/a%20b?y=1&x=%2F'), { method: 'POST', body: 'hello', headers: { 'X-A': '1' } });
  const text = await response.text();
  expect(response.headers.get('content-type')).toBe('text/plain');
  expect(text.split('\r\n')[0]).toBe('POST /a%20b?y=1&x=%2F HTTP/1.1');
  expect(text).toContain('\r\nContent-Length: 5\r\n');
  expect(text).toContain(`/e/${HOOK}/a b\r\n`);
  expect(text.endsWith('\r\n\r\nhello')).toBe(true);
});

test('the hook itself is served with and without a slash', async () => {
  const { url } = await serve(echo);
  expect((await (await fetch(url(''))).text()).startsWith('GET / HTTP/1.1')).toBe(true);
  expect((await (await fetch(url('?a=1'))).text()).startsWith('GET /?a=1 HTTP/1.1')).toBe(true);
});

test('a chunked body is whole and has a length', async () => {
  const { port } = await serve(echo);
  const got = await bare(port, (socket) => {
    socket.write(
      `POST /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    );
    setTimeout(() => socket.write('2\r\nde\r\n0\r\n\r\n'), 20);
  });
  expect(got).toContain('Content-Length: 5\r\n');
  expect(got).not.toContain('Transfer-Encoding: chunked\r\nX');
  expect(got).toContain('abcde');
});

test('Expect: 100-continue is answered before the body comes', async () => {
  const { port } = await serve(echo);
  const got = await bare(port, (socket) => {
    socket.write(
      `POST /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    );
    socket.once('data', () => socket.write('hi'));
  });
  expect(got.startsWith('HTTP/1.1 100 Continue\r\n\r\n')).toBe(true);
  expect(got).toContain('Expect: 100-continue');
});

test('60 KiB of headers arrive', async () => {
  const { url } = await serve(echo, { maxBufferedBytes: 4 << 20 });
  const text = await (await fetch(url('/'), { headers: { cookie: 'c'.repeat(60 << 10) } })).text();
  expect(text.includes(`Cookie: ${'c'.repeat(60 << 10)}\r\n`)).toBe(true);
});

test('a body over the limit is refused with its limit, announced or not', async () => {
  let asked = 0;
  const { url, port } = await serve(
    () => {
      asked++;
    },
    { maxBodyBytes: 1000 },
  );
  const announced = await answer(await fetch(url('/'), { method: 'POST', body: 'x'.repeat(1001) }));
  expect(announced.status).toBe(413);
  expect(announced.body).toContain('1000 bytes');
  expect(announced.body).toContain('MAX_ENDPOINT_BODY_BYTES');
  const chunked = await bare(port, (socket) => {
    socket.write(`POST /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 200; i++) socket.write(`400\r\n${'x'.repeat(1024)}\r\n`);
    socket.write('0\r\n\r\n');
  });
  expect(chunked.startsWith('HTTP/1.1 413 ')).toBe(true);
  expect(asked).toBe(0);
});

test('100 MB are refused without being kept', async () => {
  const { port } = await serve(echo);
  const before = process.memoryUsage().rss;
  const request = http.request({ port, host: '127.0.0.1', path: `/e/${HOOK}/`, method: 'POST' });
  const mebibyte = Buffer.alloc(1 << 20);
  let sent = 0;
  const more = (): void => {
    while (sent++ < 100) {
      if (!request.write(mebibyte)) return void request.once('drain', more);
    }
    request.end();
  };
  request.on('error', () => undefined);
  more();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(413);
  expect(process.memoryUsage().rss - before).toBeLessThan(80 << 20);
});

test('a client that stops sending is answered 408, one that leaves opens no session', async () => {
  let asked = 0;
  const { port } = await serve(
    () => {
      asked++;
    },
    { bodyIdleMs: 30 },
  );
  const half = `POST /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf`;
  const stalled = await bare(port, (socket) => void socket.write(half));
  expect(stalled.startsWith('HTTP/1.1 408 ')).toBe(true);
  await bare(port, (socket) => void socket.write(half, () => socket.destroy()));
  expect(asked).toBe(0);
});

test('parts go out as they come', async () => {
  const gate = Promise.withResolvers<void>();
  const { url } = await serve(async (line) => {
    line.say({ status: 201, headers: { 'Content-Type': 'text/event-stream' } });
    line.say({ result: hex('one') });
    line.flush();
    await gate.promise;
    line.say({ result: hex('two') });
    line.say({ status: 500 });
    line.flush();
    line.end();
  });
  const response = await fetch(url('/'));
  expect(response.status).toBe(201);
  const reader = response.body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('one');
  gate.resolve();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('two');
  expect((await reader?.read())?.done).toBe(true);
});

test('status and headers add up until the body: last status, first header, no hop-by-hop, exact length', async () => {
  const { url } = await serve(
    says(
      {
        status: 200,
        headers: { 'X-A': 'first', Connection: 'X-Secret', 'X-Secret': 's', 'Transfer-Encoding': 'chunked' },
      },
      {
        status: 418,
        headers: {
          'x-a': 'second',
          'Content-Length': '1',
          'Set-Cookie': ['a=1', 'b=2'],
          'X-Line': 'a\r\nb',
          'bad name': 'x',
        },
      },
      { result: hex('short and stout') },
    ),
  );
  const response = await fetch(url('/'));
  expect(await answer(response)).toEqual({ status: 418, body: 'short and stout' });
  expect(response.headers.get('x-a')).toBe('first');
  expect(response.headers.get('x-secret')).toBe(null);
  expect(response.headers.get('transfer-encoding')).toBe(null);
  expect(response.headers.get('content-length')).toBe('15');
  expect(response.headers.get('x-line')).toBe('a  b');
  expect(response.headers.getSetCookie()).toEqual([`a=1; Path=/e/${HOOK}`, `b=2; Path=/e/${HOOK}`]);
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
});

test('a head that grows without end fails its call, with the limit in the log', async () => {
  const logged: unknown[] = [];
  const parts = Array.from({ length: 5000 }, (_, i) => ({ headers: { [`X-${i}`]: 'v'.repeat(1000) } }));
  const { url } = await serve(says(...parts, { result: hex('late') }), {
    log: { warn: (...line) => void logged.push(line), error: (...line) => void logged.push(line) },
  });
  const response = await fetch(url('/'));
  expect(response.status).toBe(500);
  expect(JSON.stringify([logged, await response.text()])).toContain('more than 262144 bytes');
});

test('an answer without status is 200, one without body has length 0', async () => {
  const { url } = await serve(says({ headers: { 'X-A': '1' } }));
  const response = await fetch(url('/'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-length')).toBe('0');
  expect(response.headers.get('content-type')).toBe(null);
});

test('HEAD carries the declared length and no body, 204 neither', async () => {
  const { url } = await serve(says({ status: 200, headers: { 'Content-Length': '1234' }, result: hex('body') }));
  const head = await fetch(url('/'), { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '1234', '']);
  const none = await serve(says({ status: 204, result: hex('body') }));
  const empty = await fetch(none.url('/'));
  expect([empty.status, empty.headers.get('content-length'), await empty.text()]).toEqual([204, null, '']);
});

test.each([
  [{ status: 99, result: '' }, 502, 'status 99'],
  [{ status: 1000 }, 502, 'status 1000'],
  [{ status: 101 }, 502, 'status 101'],
  [{ status: 70_000 }, 500, 'number 70000 into Go struct field EndpointResponseChunk.status of type uint16'],
  [{ status: '200' }, 500, 'string into Go struct field EndpointResponseChunk.status of type uint16'],
  [{ headers: { a: 1 } }, 500, 'number into Go struct field EndpointResponseChunk.headers of type string'],
  [{ headers: [] }, 500, 'array into Go struct field EndpointResponseChunk.headers of type map[string]string'],
  [{ headers: { a: null }, result: hex('ok') }, 200, 'ok'],
  [null, 200, ''],
  [{ result: 5 }, 500, 'number into Go struct field EndpointResponseChunk.result of type string'],
  [{ result: 'zz' }, 500, 'not hexadecimal'],
  [[], 500, 'array into Go value of type endpoint_entities.EndpointResponseChunk'],
])('%j is answered %i', async (value, status, text) => {
  const { url } = await serve(says(value));
  const got = await answer(await fetch(url('/')));
  expect(got.status).toBe(status);
  expect(got.body).toContain(text);
});

test('a plugin error before the body is an envelope, after it the connection is cut', async () => {
  const early = await serve((line) => {
    line.say({ status: 200 });
    line.fail(sessionError('ValueError', 'boom', {}));
  });
  const got = await answer(await fetch(early.url('/')));
  expect(got.status).toBe(500);
  expect(messageOf(got.body)).toBe('{"args":{},"error_type":"ValueError","message":"boom"}');
  const late = await serve((line) => {
    line.say({ result: hex('half') });
    line.flush();
    setTimeout(() => line.fail(sessionError('ValueError', 'boom', {})), 20);
  });
  const response = await fetch(late.url('/'));
  await expect(response.text()).rejects.toThrow();
  expect(late.warnings).toHaveLength(1);
});

test('one total time: 504 before the head, a cut after it; the session ends either way', async () => {
  const left: AbortSignal[] = [];
  const silent = await serve((line) => void left.push(line.left), { timeoutMs: 30 });
  const got = await answer(await fetch(silent.url('/')));
  expect([got.status, messageOf(got.body)]).toEqual([504, 'killed by timeout']);
  const slow = await serve(
    (line) => {
      left.push(line.left);
      line.say({ result: hex('x') });
      line.flush();
    },
    { timeoutMs: 2000 },
  );
  await expect((await fetch(slow.url('/'))).text()).rejects.toThrow();
  expect(left.map((signal) => signal.aborted)).toEqual([true, true]);
});

test('a client that leaves ends the session', async () => {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const { url } = await serve(({ left }) => {
    left.addEventListener('abort', () => ended.resolve());
    begun.resolve();
  });
  const leaving = new AbortController();
  const call = fetch(url('/'), { signal: leaving.signal });
  await begun.promise;
  leaving.abort();
  await expect(call).rejects.toThrow();
  await ended.promise;
});

test('a client that does not read fails alone at the named limit', async () => {
  const ended = Promise.withResolvers<void>();
  const { port, warnings } = await serve((line) => {
    line.left.addEventListener('abort', () => ended.resolve());
    const big = { result: Buffer.alloc(1 << 18).toString('hex') };
    const pump = (): void => {
      if (line.left.aborted) return;
      line.say(big);
      line.flush();
      setImmediate(pump);
    };
    setImmediate(pump);
  });
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\n\r\n`);
  socket.pause();
  await ended.promise;
  expect(warnings).toEqual(['a webhook answer was cut off']);
  socket.destroy();
});

const endpoints = (findByHookId: WebhookDeps['database']['endpoints']['findByHookId']): Partial<WebhookDeps> => ({
  database: { endpoints: { findByHookId } } as unknown as WebhookDeps['database'],
});
const refusing = (error: Error) => async (): Promise<never> => Promise.reject(error);

test.each<[string, Partial<WebhookDeps>, string, number, string]>([
  ['unknown hook', {}, '/e/nohook/x', 404, 'endpoint not found'],
  [
    'no installation',
    { routing: { find: async () => undefined } },
    `/e/${HOOK}/x`,
    404,
    'plugin installation not found',
  ],
  [
    'a debugging connection that was lost a moment ago',
    { routing: { find: async () => 'away' as const } },
    `/e/${HOOK}/x`,
    404,
    'plugin installation not found',
  ],
  ['no declaration', { routing: { find: () => placed(undefined) } }, `/e/${HOOK}/x`, 404, 'plugin not found'],
  [
    'routing trouble',
    { routing: { find: refusing(new Error('secret detail')) } },
    `/e/${HOOK}/x`,
    500,
    'internal server error',
  ],
  ['disabled', endpoints(async () => ({ ...endpoint, enabled: false })), `/e/${HOOK}/x`, 404, 'endpoint not found'],
  ['database trouble', endpoints(refusing(new Error('secret detail'))), `/e/${HOOK}/x`, 500, 'internal server error'],
  [
    'settings cannot be decrypted',
    { endpoints: { settingsFor: refusing(new Error('request failed: no')) } },
    `/e/${HOOK}/x`,
    500,
    'request failed: no',
  ],
  [
    'plugin not running',
    {
      invocations: {
        open: refusing(new DaemonError('not-routable', 'no available node, plugin runtime not found')),
      },
    },
    `/e/${HOOK}/x`,
    404,
    'no available node, plugin runtime not found',
  ],
])('%s', async (_name, over, path, status, message) => {
  const { port } = await serve(echo, over);
  const got = await answer(await fetch(`http://127.0.0.1:${port}${path}`));
  expect([got.status, messageOf(got.body)]).toEqual([status, message]);
});

/** Sends a request by hand and keeps the connection; `answered` is what came back until it closes. */
async function slowly(port: number, head: string): Promise<{ socket: net.Socket; answered: Promise<string> }> {
  const socket = net.connect(port, '127.0.0.1');
  const got: Buffer[] = [];
  socket.on('data', (bytes: Buffer) => got.push(bytes)).on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`POST /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${head}\r\n\r\n`);
  return { socket, answered: once(socket, 'close').then(() => Buffer.concat(got).toString('latin1')) };
}

const bodies = (total: number, perOwner = total): ByteBudget =>
  new ByteBudget({ what: 'bodies of webhooks', total, perOwner, setting: 'MAX_ENDPOINT_BODIES_BYTES' });

async function until(look: () => boolean): Promise<void> {
  while (!look()) await new Promise((resolve) => setImmediate(resolve));
}

test('a body waits with its sender until there is room, in turn; small calls without one pass', async () => {
  const budget = bodies(1000);
  const { port, url } = await serve(echo, { bodies: budget });
  const first = await slowly(port, 'Content-Length: 900');
  await until(() => budget.used === 900);
  const second = await slowly(port, 'Content-Length: 500');
  second.socket.write('y'.repeat(500));
  await until(() => budget.waiting === 1);
  expect((await fetch(url('/'))).status).toBe(200);
  expect(budget.waiting).toBe(1);
  first.socket.write('x'.repeat(900));
  expect(await first.answered).toContain('x'.repeat(900));
  expect(await second.answered).toContain('y'.repeat(500));
  expect(budget.used).toBe(0);
});

test('a call that waits too long is refused with the limit and its setting', async () => {
  const budget = bodies(1000);
  const { port } = await serve(echo, { bodies: budget, bodyWaitMs: 30 });
  const first = await slowly(port, 'Content-Length: 900');
  await until(() => budget.used === 900);
  const second = await slowly(port, 'Content-Length: 500');
  second.socket.write('y'.repeat(500));
  const refused = await second.answered;
  expect(refused.startsWith('HTTP/1.1 503 ')).toBe(true);
  expect(refused).toMatch(/retry-after: 10/i);
  expect(refused).toContain('1000 bytes');
  expect(refused).toContain('MAX_ENDPOINT_BODIES_BYTES');
  first.socket.destroy();
  await until(() => budget.used === 0);
});

test('who leaves while it waits or sends gives its room up', async () => {
  const budget = bodies(1000);
  const { port } = await serve(echo, { bodies: budget });
  const first = await slowly(port, 'Content-Length: 900');
  await until(() => budget.used === 900);
  const second = await slowly(port, 'Content-Length: 500');
  await until(() => budget.waiting === 1);
  second.socket.destroy();
  await until(() => budget.waiting === 0);
  first.socket.destroy();
  await until(() => budget.used === 0);
});

test('a body without a length that grows waits for the room of the longest, holding none meanwhile', async () => {
  const budget = bodies(2 << 20);
  const { port } = await serve(echo, { bodies: budget, maxBodyBytes: 1 << 20, maxBufferedBytes: 8 << 20 });
  const release = await budget.acquire(3 << 19, AbortSignal.timeout(60_000));
  const call = await slowly(port, 'Transfer-Encoding: chunked');
  const piece = `8000\r\n${'z'.repeat(0x8000)}\r\n`;
  call.socket.write(piece.repeat(8));
  await until(() => budget.waiting === 1);
  expect(budget.used).toBe(3 << 19);
  release();
  call.socket.write('0\r\n\r\n');
  expect(await call.answered).toContain(`Content-Length: ${8 * 0x8000}\r\n`);
  expect(budget.used).toBe(0);
});

test('the room of a body is held until the plugin has taken it', async () => {
  const budget = bodies(1000);
  const taken = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const { url } = await serve(echo, {
    bodies: budget,
    invocations: {
      open: async (_call, output) => {
        void answer.promise.then(() => output.end());
        return { leave: () => undefined, taken: taken.promise } as unknown as Session;
      },
    },
  });
  const call = fetch(url('/'), { method: 'POST', body: 'x'.repeat(800) });
  await until(() => budget.used === 800);
  taken.resolve();
  await until(() => budget.used === 0);
  answer.resolve();
  expect((await call).status).toBe(200);
});

test('settings that cannot be had free the room at once', async () => {
  const budget = bodies(1000);
  const failing = { settingsFor: () => Promise.reject(new Error('Dify says no')) };
  const { port } = await serve(echo, { bodies: budget, endpoints: failing });
  const call = await slowly(port, 'Content-Length: 900');
  call.socket.write('x'.repeat(10));
  await until(() => budget.used === 0 && budget.waiting === 0);
  call.socket.write('x'.repeat(890));
  expect(await call.answered).toContain('HTTP/1.1 500 ');
});

test('answers that slow clients do not fetch have one limit together', async () => {
  const ended = Promise.withResolvers<void>();
  const answers = new ByteBudget({ what: 'answers', total: 4 << 20 });
  const { port, logged } = await serve(
    (line) => {
      line.left.addEventListener('abort', () => ended.resolve());
      const big = { result: Buffer.alloc(1 << 20).toString('hex') };
      const pump = (): void => {
        if (line.left.aborted) return;
        line.say(big);
        line.flush();
        setImmediate(pump);
      };
      setImmediate(pump);
    },
    { answers, maxBufferedBytes: 1 << 30 },
  );
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET /e/${HOOK}/ HTTP/1.1\r\nHost: h\r\n\r\n`);
  socket.pause();
  await ended.promise;
  expect(JSON.stringify(logged)).toContain(`${4 << 20} bytes`);
  await until(() => answers.used === 0);
  socket.destroy();
});

test('strangers read an id, the log the rest', async () => {
  const { url, port, logged, faults } = await serve(
    (line) => line.fail(sessionError('OperationalError', 'hunter2 at /data/cwd', { traceback: '/data/cwd/main.py' })),
    { showFailures: false },
  );
  const got = await answer(await fetch(url('/')));
  expect(got.status).toBe(500);
  expect(got.body).not.toMatch(/hunter2|data.cwd|Operational/);
  const { error_id } = JSON.parse(JSON.parse(got.body).message).args;
  expect(logged).toEqual([expect.objectContaining({ error_id, tenant_id: 't', endpoint_id: 'e1' })]);
  expect(JSON.stringify(logged)).toContain('hunter2');
  expect(faults).toEqual([]);
  const ask = async (tenant: string, id: string, key: string) =>
    answer(
      await fetch(`http://127.0.0.1:${port}/plugin/${tenant}/endpoint/failure?error_id=${id}`, {
        headers: { 'X-Api-Key': key },
      }),
    );
  expect((await ask('t', error_id, 'no')).status).toBe(401);
  expect(JSON.parse((await ask('t', error_id, 'k')).body).data).toMatchObject({
    error_id,
    endpoint_id: 'e1',
    error: expect.stringContaining('hunter2'),
  });
  for (const [tenant, id] of [
    ['another', error_id],
    ['t', 'unknown'],
  ]) {
    const { body } = await ask(tenant ?? '', id ?? '', 'k');
    expect(JSON.parse(body).code).toBe(-404);
    expect(body).not.toContain('hunter2');
  }
});

test('what a plugin answers stays within its hook', async () => {
  const { url } = await serve(
    says(
      {
        headers: {
          'Set-Cookie': 'a=1; Path=/; Domain=x',
          'Service-Worker-Allowed': '/',
          'Clear-Site-Data': '"*"',
          'X-Accel-Redirect': '/internal',
          'Content-Security-Policy': "default-src 'self'",
        },
      },
      { result: hex('<html><script>1</script>') },
    ),
  );
  const { headers } = await fetch(url('/'), { headers: { 'Dify-Hook-Url': `https://d.example/sub/e/${HOOK}/x` } });
  expect(headers.getSetCookie()).toEqual([`a=1; Path=/sub/e/${HOOK}`]);
  for (const name of ['service-worker-allowed', 'clear-site-data', 'x-accel-redirect'])
    expect(headers.has(name)).toBe(false);
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toBe("default-src 'self', sandbox allow-scripts");
});

test('a script for a service worker is not served where hooks share an origin', async () => {
  const worker = { headers: { 'Service-Worker': 'script' } };
  const shared = await serve(echo);
  const refused = await answer(await fetch(shared.url('?x'), worker));
  expect(refused.status).toBe(403);
  expect(refused.body).toContain('ENDPOINT_SHARED_ORIGIN');
  const own = await serve(echo, { origin: { shared: false, sandbox: undefined } });
  expect((await fetch(own.url('?x'), worker)).status).toBe(200);
});

test("Dify's cookies do not reach plugins where hooks share an origin", async () => {
  const sent = { headers: { Cookie: 'a=1; access_token=x; __Host-csrf_token=y' } };
  const shared = await serve(echo);
  expect(await (await fetch(shared.url('/'), sent)).text()).toContain('\r\nCookie: a=1\r\n');
  const own = await serve(echo, { origin: { shared: false, sandbox: undefined } });
  expect(await (await fetch(own.url('/'), sent)).text()).toContain('access_token=x');
});

test.each([
  ['absolute form', `http://other.example:99/e/${HOOK}/a/b?c=1`, 'GET /a/b?c=1 HTTP/1.1'],
  ['absolute form without a path', `http://other.example:99/e/${HOOK}`, 'GET / HTTP/1.1'],
  ['an escape that is none', `/e/${HOOK}/a%zz?c=%`, 'GET /a%zz?c=% HTTP/1.1'],
  ['escaped bytes that are no UTF-8', `/e/${HOOK}/a%FF/b`, 'GET /a%FF/b HTTP/1.1'],
])('a target in %s reaches the plugin', async (_what, target, line) => {
  const { port } = await serve(echo);
  const got = await bare(port, (socket) => {
    socket.write(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  });
  expect(got).toContain(`\r\n${line}\r\n`);
});
