import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import { silentLog } from '@plugin-daemon/plugin-host/log';
import type { RuntimeSession } from '@plugin-daemon/plugin-host/runtimes';
import { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { createTlsFiles, type TlsFiles } from '@plugin-daemon/services';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { functionTarget } from './function-target.ts';
import { FunctionClient, FunctionRuntime, type FunctionRuntimeOptions } from './index.ts';

const ID = '8417b807-017e-4973-9699-c82654a3bb01';
const MAX = 1 << 16;
const line = (type: string, data: unknown, id = ID): string =>
  `${JSON.stringify({ event: 'session', session_id: id, data: { type, data } })}\n\n`;

let server: Server | Http2Server | undefined;
let client: FunctionClient | undefined;
let outcomes: string[] = [];

afterEach(async () => {
  await client?.close();
  if (server !== undefined && 'closeAllConnections' in server) server.closeAllConnections();
  server?.close();
  outcomes = [];
});

async function runtimeAt(
  listening: Server | Http2Server,
  scheme: string,
  options: Partial<FunctionRuntimeOptions> = {},
  ca?: string,
) {
  server = listening;
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  // A TCP server has such an address.
  const { port } = listening.address() as AddressInfo;
  client = new FunctionClient(ca === undefined ? {} : { ca });
  return new FunctionRuntime({
    identifier: 'a/b:1@c',
    pluginId: 'a/b',
    url: `${scheme}://127.0.0.1:${port}/fn`,
    client,
    attempts: 3,
    maxRequestBytes: 1 << 20,
    maxMessageBytes: MAX,
    said: new PluginOutput(silentLog, {}),
    onAttempt: (outcome) => outcomes.push(outcome),
    ...options,
  });
}

const plain = (listener: RequestListener, options?: Partial<FunctionRuntimeOptions>) =>
  runtimeAt(createServer(listener), 'http', options);

interface Heard {
  readonly session: RuntimeSession;
  readonly chunks: unknown[];
  readonly over: Promise<SessionError | 'end'>;
}

function ask(runtime: FunctionRuntime, id = ID): Heard {
  const over = Promise.withResolvers<SessionError | 'end'>();
  const chunks: unknown[] = [];
  const session = runtime.open(
    id,
    {
      chunk: (json) => chunks.push(JSON.parse(json)) > 0,
      flush: () => undefined,
      invoke: () => undefined,
      end: () => over.resolve('end'),
      fail: (error) => over.resolve(error),
    },
    { action: 'invoke_tool', traceparent: () => '00-1-2-01' },
  );
  void session.send(JSON.stringify({ session_id: id }));
  return { session, chunks, over: over.promise };
}

describe('HTTP/2', () => {
  let directory: string;
  let files: TlsFiles;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'functions-tls-'));
    files = createTlsFiles(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('a function that offers it is called on one connection, many times at once', async () => {
    const versions = new Set<string>();
    let waiting: (() => void)[] = [];
    const calls = 50;
    const secure = createSecureServer(
      { cert: readFileSync(files.serverCert), key: readFileSync(files.serverKey) },
      (request, response) => {
        versions.add(request.httpVersion);
        const id = String(request.headers['dify-plugin-session-id']);
        request.resume();
        response.writeHead(200);
        // All are open before the first is answered.
        waiting.push(() => response.end(line('stream', 'x', id) + line('end', {}, id)));
        if (waiting.length === calls) for (const answer of waiting.splice(0)) answer();
      },
    );
    let connections = 0;
    secure.on('secureConnection', () => connections++);
    const runtime = await runtimeAt(secure, 'https', {}, readFileSync(files.ca, 'utf8'));
    const first = ask(runtime, 'warm');
    waiting = await new Promise((resolve) => {
      const timer = setInterval(() => {
        if (waiting.length === 0) return;
        clearInterval(timer);
        waiting.shift()?.();
        resolve([]);
      }, 1);
    });
    expect(await first.over).toBe('end');
    const all = Array.from({ length: calls }, (_, n) => ask(runtime, `s${n}`));
    expect(await Promise.all(all.map(({ over }) => over))).toEqual(all.map(() => 'end'));
    expect([[...versions], connections]).toEqual([['2.0'], 1]);
  });

  test('a certificate of nobody known is no function', async () => {
    const secure = createSecureServer({ cert: readFileSync(files.serverCert), key: readFileSync(files.serverKey) });
    const runtime = await runtimeAt(secure, 'https', { attempts: 1 }, readFileSync(files.otherCa, 'utf8'));
    expect(await ask(runtime).over).toMatchObject({ errorType: 'PluginDaemonInnerError' });
    expect(outcomes).toEqual(['unanswered']);
  });
});

describe('compressed answers', () => {
  const gzipped = (body: Buffer) => (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'Content-Encoding': 'gzip' });
    for (let at = 0; at < body.length; at += 1000) response.write(body.subarray(at, at + 1000));
    response.end();
  };

  test('are read', async () => {
    const { chunks, over } = ask(await plain(gzipped(gzipSync(line('stream', 'x'.repeat(5000)) + line('end', {})))));
    expect([await over, chunks]).toEqual(['end', ['x'.repeat(5000)]]);
  });

  test('that are larger than they look end at the limit for one message', async () => {
    const { over } = ask(await plain(gzipped(gzipSync(line('stream', 'x'.repeat(50_000_000))))));
    expect(await over).toMatchObject({ errorType: 'PluginMessageTooLargeError' });
  });

  test('that are damaged fail', async () => {
    const { over } = ask(await plain(gzipped(Buffer.from('no gzip at all'))));
    expect(await over).toMatchObject({
      errorType: 'PluginDaemonInnerError',
      message: expect.stringContaining('incorrect header'),
    });
  });
});

describe('compressed reports of failures', () => {
  const report = '{"errorType":"Runtime.ExitError","errorMessage":"boom","requestId":"r"}';
  test.each([
    ['a report', gzipSync(report), 'Runtime.ExitError: boom'],
    ['one whose end is missing', gzipSync(report).subarray(0, -8), 'Runtime.ExitError: boom'],
    ['one that is damaged', Buffer.from('no gzip'), '500 Internal Server Error'],
    ['one that is larger than it looks', gzipSync(`${report}${' '.repeat(10_000_000)}`), '500 Internal Server Error'],
  ])('%s', async (_what, body, text) => {
    const { over } = ask(
      await plain((_request, response) => void response.writeHead(500, { 'Content-Encoding': 'GZIP' }).end(body)),
    );
    expect(await over).toMatchObject({ message: `Plugin runtime request failed: ${text}`, args: { status_code: 500 } });
  });
});

test('a function has failed by its status, though what it says of that never comes', async () => {
  const gone = Promise.withResolvers<void>();
  const { over } = ask(
    await plain((_request, response) => {
      response.once('close', () => gone.resolve());
      response.writeHead(500, { 'Content-Length': 100 }).write('{"errorType"');
    }),
  );
  expect(await over).toMatchObject({
    errorType: 'PluginRuntimeError',
    message: 'Plugin runtime request failed: 500 Internal Server Error',
  });
  await gone.promise;
});

describe('cancelling', () => {
  test('between two attempts: there is no other', async () => {
    let asked = 0;
    const arrived = Promise.withResolvers<void>();
    const runtime = await plain((_request, response) => {
      asked++;
      response.writeHead(502).end();
      arrived.resolve();
    });
    const { session } = ask(runtime);
    await arrived.promise;
    session.cancel();
    const next = ask(
      await plain((request, response) => void request.resume().once('end', () => response.end(line('end', {})))),
    );
    expect(await next.over).toBe('end');
    expect(asked).toBe(1);
  });

  test('before there is a connection: nothing is sent', async () => {
    let asked = 0;
    const runtime = await plain(() => asked++);
    const { session, chunks } = ask(runtime);
    session.cancel();
    session.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([asked, chunks]).toEqual([0, []]);
  });
});

test('a second line is refused: a function is sent one', async () => {
  const runtime = await plain((_request, response) => void response.end(line('end', {})));
  const { session, over } = ask(runtime);
  expect(() => session.send('{}')).toThrow('is sent one request');
  await over;
});

test.each([
  ['http://h/fn', 'http://h', '/fn/invoke?action=a'],
  ['http://h/fn/', 'http://h', '/fn/invoke?action=a'],
  ['https://h:8443', 'https://h:8443', '/invoke?action=a'],
  ['http://h/fn/?a=b', 'http://h', '/fn/invoke?a=b?action=a'],
])('%s is asked at %s%s', (address, origin, path) => {
  const target = functionTarget(address);
  expect([target.origin, target.pathFor('a')]).toEqual([origin, path]);
});

test.each(['', 'not a url', 'ftp://h/x', '//h', `http://${'['.repeat(50_000)}`, '\ud800'])(
  '%j is no address',
  (address) => {
    expect(functionTarget(address).origin).toBeUndefined();
    expect(() => functionTarget(address).urlFor('a')).not.toThrow();
  },
);
