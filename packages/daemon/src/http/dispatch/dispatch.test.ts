import { mkdtempSync, rmSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, sessionError } from '@plugin-daemon/plugin-host/errors';
import type { SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallOptions } from '../../invocation/index.ts';
import { placementOf, type World, world } from '../../invocation/testing.ts';
import type { Routing } from '../../routing/index.ts';
import { createHttpServer, type HttpServer } from '../index.ts';
import { dispatchRoutes } from './index.ts';

const IDENTIFIER = `tests/fake:0.0.1@${'a'.repeat(64)}`;
const TOOL = JSON.stringify({
  user_id: 'u',
  data: { provider: 'p', tool: 't', tool_parameters: {}, credentials: {} },
});
const withIdentifier: Routing['withIdentifier'] = (identifier) => ({ ...placementOf(made.runtime), identifier });
let directory: string;
let server: HttpServer;
let port: number;
let made: World;
let active: number;
let find: Routing['find'];
let ready: (signal: AbortSignal) => Promise<unknown>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dispatch-'));
  active = 0;
  find = () => withIdentifier(IDENTIFIER);
  ready = async () => made.runtime;
  made = world({
    routing: {
      peek: () => undefined,
      ready: async (_placement, signal) => {
        await ready(signal);
        return made.runtime;
      },
    },
  });
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'key',
    routes: dispatchRoutes({
      invocations: made.invocations,
      routing: { find: (tenantId, pluginId) => find(tenantId, pluginId), withIdentifier },
      maxBodyBytes: 1 << 20,
      maxWaitingBytes: 1 << 20,
      waitingInMemory: new ByteBudget({ what: 'answers', total: 64 << 20 }),
      spillDirectory: directory,
      traceparent: () => 'trace',
      onStart: () => void active++,
      onEnd: () => void active--,
      onLeft: () => undefined,
    }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  port = (await server.listen()).port;
});

afterEach(async () => {
  await server.close(AbortSignal.abort());
  rmSync(directory, { recursive: true, force: true });
});

interface Sent {
  readonly outgoing: ClientRequest;
  readonly response: Promise<IncomingMessage>;
  readonly text: () => Promise<string>;
}

function send(path: string, body: string, headers: Record<string, string> = { 'X-Plugin-ID': 'tests/fake' }): Sent {
  const outgoing = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path,
    agent: false,
    headers: { 'X-Api-Key': 'key', 'Content-Type': 'application/json', ...headers },
  });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  outgoing.end(body);
  const text = async () => {
    const parts: Buffer[] = [];
    for await (const part of await response) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  return { outgoing, response, text };
}

const invokeTool = () => send('/plugin/tenant-1/dispatch/tool/invoke', TOOL);

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The sink of the session that the call opens. */
const sink = (): Promise<SessionSink> => until(() => [...made.runtime.sinks.values()][0]);
const errorOf = (text: string) => {
  const { code, message } = JSON.parse(text.replace(/^data: /, ''));
  return { code, ...JSON.parse(message) };
};

test('messages are events of one stream', async () => {
  const call = invokeTool();
  const plugin = await sink();
  plugin.chunk('{"type":"text","message":{"text":"a"},"meta":null}');
  plugin.flush();
  plugin.end();
  const response = await call.response;
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
  expect(await call.text()).toBe(
    'data: {"code":0,"message":"success","data":{"type":"text","message":{"text":"a"},"meta":null}}\n\n',
  );
  await until(() => active === 0 || undefined);
  expect(made.invocations.openSessions).toBe(0);
});

test('the error of a plugin is an event of its own', async () => {
  const call = invokeTool();
  (await sink()).fail(sessionError('ValueError', 'no', {}));
  const error = errorOf(await call.text());
  expect(error).toMatchObject({ code: -500, error_type: 'PluginInvokeError' });
  expect(JSON.parse(error.message)).toEqual({ args: {}, error_type: 'ValueError', message: 'no' });
});

test('a client that leaves in the middle ends the session on both sides', async () => {
  const call = invokeTool();
  const plugin = await sink();
  plugin.chunk('{"type":"text","message":{"text":"a"},"meta":null}');
  plugin.flush();
  (await call.response).destroy();
  await until(() => made.closed[0]);
  expect(made.closed.map(([, outcome]) => outcome)).toEqual(['client_disconnect']);
  expect(made.runtime.ended.map(([, how]) => how)).toEqual(['cancelled']);
  await until(() => active === 0 || undefined);
});

test('a client that leaves while the plugin starts gives its place up', async () => {
  let given: AbortSignal | undefined;
  ready = (signal) => {
    given = signal;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const call = invokeTool();
  call.response.catch(() => undefined);
  const signal = await until(() => given);
  expect(signal.aborted).toBe(false);
  call.outgoing.destroy();
  await until(() => signal.aborted || undefined);
  await until(() => active === 0 || undefined);
  expect(made.opened).toEqual([]);
});

test.each([
  [new DaemonError('runtime-unavailable', 'plugin runtime not found: it broke'), 500],
  [new DaemonError('not-routable', 'no available node, plugin runtime not found'), 404],
])('a plugin that cannot be reached is an ordinary error (%s)', async (error, status) => {
  ready = () => Promise.reject(error);
  const call = invokeTool();
  expect((await call.response).statusCode).toBe(status);
  expect(errorOf(await call.text())).toMatchObject({ code: -500, message: error.message });
});

test('once it was found, failures are events', async () => {
  ready = () => Promise.reject(new Error('unexpected'));
  const call = invokeTool();
  expect((await call.response).statusCode).toBe(200);
  expect(errorOf(await call.text())).toMatchObject({ code: -500, message: 'unexpected' });
});

test('a plugin that the tenant does not have', async () => {
  find = async () => undefined;
  const call = invokeTool();
  expect((await call.response).statusCode).toBe(404);
  expect(errorOf(await call.text())).toMatchObject({ code: -404, error_type: 'PluginNotFoundError' });
});

test('a plugin whose developer restarts it: try again', async () => {
  find = async () => 'away' as const;
  const call = invokeTool();
  expect((await call.response).statusCode).toBe(404);
  const message = 'no available node, plugin runtime not found';
  expect(errorOf(await call.text())).toMatchObject({ code: -500, message });
});

test('where a call goes is asked before its body has come', async () => {
  const asked = Promise.withResolvers<readonly string[]>();
  find = async (...of) => {
    asked.resolve(of.slice(0, 2).map(String));
    return undefined;
  };
  const outgoing = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/plugin/tenant-1/dispatch/tool/invoke',
    agent: false,
    headers: { 'X-Api-Key': 'key', 'X-Plugin-ID': 'tests/fake', 'Content-Length': 1000 },
  });
  outgoing.on('error', () => undefined);
  outgoing.flushHeaders();
  expect(await asked.promise).toEqual(['tenant-1', 'tests/fake']);
  outgoing.destroy();
});

test('a call without the name of a plugin', async () => {
  const call = send('/plugin/tenant-1/dispatch/tool/invoke', TOOL, {});
  expect(errorOf(await call.text())).toMatchObject({ code: -400, message: 'plugin_id is required' });
});

test('the direct route names the version; a malformed one is refused', async () => {
  const path = '/v2/invoke/dispatch/tool/invoke';
  const body = JSON.stringify({ ...JSON.parse(TOOL), tenant_id: 'tenant-9' });
  const missing = send(path, body, {});
  expect(errorOf(await missing.text())).toMatchObject({ message: 'X-Plugin-Unique-Identifier header is required' });
  const malformed = send(path, body, { 'X-Plugin-Unique-Identifier': 'nonsense' });
  expect(errorOf(await malformed.text())).toMatchObject({ code: -400, error_type: 'PluginUniqueIdentifierError' });
  const call = send(path, body, { 'X-Plugin-Unique-Identifier': IDENTIFIER });
  (await sink()).end();
  expect(await call.text()).toBe('');
  expect(made.opened[0]?.envelope.tenantId).toBe('tenant-9');
});

test('what the plugin gets is what was sent', async () => {
  const calls: CallOptions[] = [];
  const open = made.invocations.open.bind(made.invocations);
  made.invocations.open = (options, output) => {
    calls.push(options);
    return open(options, output);
  };
  const call = invokeTool();
  (await sink()).end();
  await call.text();
  expect(calls[0]).toMatchObject({
    placement: { identifier: IDENTIFIER },
    envelope: { tenantId: 'tenant-1', userId: 'u' },
  });
  expect(calls[0]?.traceparent()).toBe('trace');
});

const POLL = JSON.stringify({
  user_id: 'u',
  data: { provider: 'p', model: 'm', model_type: 'llm', credentials: {}, plugin_state: { a: 1 } },
});
const poll = () => send('/plugin/tenant-1/dispatch/model/polling/check', POLL);

test('polling is answered with the last message, as plain JSON', async () => {
  const call = poll();
  const plugin = await sink();
  plugin.chunk('{"status":"running","plugin_state":{"n":1}}');
  plugin.chunk('{"status":"running","plugin_state":{"n":2}}');
  plugin.flush();
  plugin.end();
  expect((await call.response).headers['content-type']).toContain('application/json');
  expect(await call.text()).toBe('{"code":0,"message":"success","data":{"status":"running","plugin_state":{"n":2}}}');
});

test('failures of polling come with 200 and their type, as Dify needs them', async () => {
  const failing = poll();
  (await sink()).fail(sessionError('PluginLLMPollingUnsupportedError', 'cannot', null));
  expect((await failing.response).statusCode).toBe(200);
  const error = errorOf(await failing.text());
  expect(JSON.parse(error.message)).toMatchObject({ error_type: 'PluginLLMPollingUnsupportedError' });
  await until(() => made.runtime.sinks.size === 0 || undefined);
  const empty = poll();
  (await sink()).end();
  expect(errorOf(await empty.text()).message).toContain('no polling result received from plugin');
});
