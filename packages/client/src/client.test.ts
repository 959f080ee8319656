import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  DaemonAnswerError,
  DaemonClient,
  DaemonUnreachableError,
  InstallFailedError,
  UnexpectedAnswerError,
} from './index.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Answer = (seen: Seen, response: ServerResponse) => void;

/** Something that answers like a daemon, and a client of it. */
async function daemon(answer: Answer) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(pieces) };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  const client = new DaemonClient({ url: `http://127.0.0.1:${port}/`, key: 'k', tenant: 't' });
  closers.push(async () => {
    await client[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, seen };
}

const success = (data: unknown) => JSON.stringify({ code: 0, message: 'success', data });
const failure = (code: number, type: string, message: string, args: unknown = null) =>
  JSON.stringify({ code, message: JSON.stringify({ message, error_type: type, args }), data: null });
const reply = (response: ServerResponse, body: string, status = 200): void => {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
};
const answering =
  (body: string, status = 200): Answer =>
  (_seen, response) =>
    reply(response, body, status);
const streaming =
  (...events: string[]): Answer =>
  (_seen, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const event of events) response.write(`data: ${event}\n\n`);
    response.end();
  };

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: Error) => error,
  );
}

test('a call is sent as described and its data comes back', async () => {
  const { client, seen } = await daemon(answering(success({ list: [], total: 0 })));
  expect(await client.call('listInstallations', { page: 1, page_size: 20 })).toEqual({ list: [], total: 0 });
  expect(seen[0]).toMatchObject({ method: 'GET', url: '/plugin/t/management/list?page=1&page_size=20' });
  expect(seen[0]?.headers['x-api-key']).toBe('k');
});

test('lists in a query are repeated, parts of a path keep their slashes and lose nothing else', async () => {
  const { client, seen } = await daemon(answering(success(true)));
  await client.call('listInstallationsOfCategory', {
    category: 'tool',
    page: 1,
    page_size: 1,
    tags: ['search', 'rag'],
  });
  await client.call('deleteInstallTaskItem', { id: 'i', identifier: 'a/b:0.0.1@c?d' });
  expect(seen.map(({ url }) => url)).toEqual([
    '/plugin/t/management/tool/list?page=1&page_size=1&tags=search&tags=rag',
    '/plugin/t/management/install/tasks/i/delete/a/b%3A0.0.1%40c%3Fd',
  ]);
  await expect(client.call('getInstallTask', { id: '' })).rejects.toThrow('id is missing');
  await expect(
    client.call('switchServerlessEndpoint', {
      body: { plugin_unique_identifier: 'x', function_name: 'f', function_url: 'u' },
    }),
  ).rejects.toThrow('adminKey');
});

test('an upload is a form with the file and the switch', async () => {
  const { client, seen } = await daemon(answering(success({ unique_identifier: 'x' })));
  await client.upload(Buffer.from([0, 13, 10, 45, 45, 255]), { verifySignature: false });
  const [sent] = seen;
  const form = await new Response(sent?.body, {
    headers: { 'Content-Type': String(sent?.headers['content-type']) },
  }).formData();
  expect(form.get('verify_signature')).toBe('false');
  const file = form.get('dify_pkg');
  expect(file instanceof File && [...(await file.bytes())]).toEqual([0, 13, 10, 45, 45, 255]);
});

test('events arrive one by one; an error comes after those before it, opened down to the plugin', async () => {
  const inner = JSON.stringify({
    error_type: 'InvokeRateLimitError',
    message: 'slow down',
    args: { description: '429' },
  });
  const { client, seen } = await daemon(
    streaming(success({ type: 'text' }), success({ type: 'json' }), failure(-500, 'PluginInvokeError', inner)),
  );
  const got: unknown[] = [];
  const error = await errorOf(
    (async () => {
      const data = { provider: 'p', tool: 't' };
      for await (const message of client.invoke('invokeTool', 'a/b', data, { userId: 'u' })) got.push(message.type);
    })(),
  );
  expect(got).toEqual(['text', 'json']);
  expect(error).toBeInstanceOf(DaemonAnswerError);
  expect(error).toMatchObject({
    code: -500,
    type: 'InvokeRateLimitError',
    message: 'slow down',
    plugin: { type: 'InvokeRateLimitError', message: 'slow down', args: { description: '429' } },
  });
  expect(seen[0]?.headers['x-plugin-id']).toBe('a/b');
  expect(JSON.parse(String(seen[0]?.body))).toEqual({ user_id: 'u', data: { provider: 'p', tool: 't' } });
});

test('a stream that was refused throws what the daemon said', async () => {
  const { client } = await daemon(answering(failure(-404, 'PluginNotFoundError', 'plugin not found'), 404));
  const events = client.stream('invokeTool', { pluginId: 'a/b', body: { data: { provider: 'p', tool: 't' } } });
  await expect(events.next()).rejects.toMatchObject({ code: -404, status: 404, type: 'PluginNotFoundError' });
});

test('a stream without events ends', async () => {
  const { client } = await daemon(streaming());
  expect(await Array.fromAsync(client.invoke('invokeTool', 'a/b', { provider: 'p', tool: 't' }))).toEqual([]);
});

test('a question takes the first event for its answer', async () => {
  const { client } = await daemon(streaming(success({ result: true }), success({ result: false })));
  const question = { provider: 'p', credentials: {} };
  expect(await client.ask('validateToolCredentials', 'a/b', question)).toEqual({ result: true });
});

test('a question without an answer is an error', async () => {
  const { client } = await daemon(streaming());
  const asked = client.ask('validateToolCredentials', 'a/b', { provider: 'p', credentials: {} });
  await expect(asked).rejects.toThrow('the plugin answered nothing');
});

test('leaving a stream closes the connection', async () => {
  const closed = Promise.withResolvers<void>();
  const { client } = await daemon((_seen, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`data: ${success({ type: 'text' })}\n\n`);
  });
  for await (const _ of client.invoke('invokeTool', 'a/b', { provider: 'p', tool: 't' })) break;
  await closed.promise;
});

test('an aborted call throws the reason', async () => {
  const { client } = await daemon(() => undefined);
  const stop = new AbortController();
  const call = errorOf(client.call('listEndpoints', { page: 1, page_size: 1 }, { signal: stop.signal }));
  stop.abort(new Error('enough'));
  expect((await call).message).toBe('enough');
});

test('errors of management calls come with status 200 and what they say', async () => {
  const { client } = await daemon(
    answering(failure(-400, 'PluginDaemonBadRequestError', 'too big', { limit_bytes: 5 })),
  );
  expect(await errorOf(client.call('uninstallPlugin', { body: { plugin_installation_id: 'x' } }))).toMatchObject({
    code: -400,
    status: 200,
    message: 'too big',
    args: { limit_bytes: 5 },
    plugin: undefined,
  });
});

test('an error whose message is plain text is told as it is', async () => {
  const { client } = await daemon(answering(JSON.stringify({ code: -500, message: 'plain', data: null })));
  expect(await errorOf(client.call('getDebuggingKey'))).toMatchObject({ message: 'plain', type: undefined });
});

test('answers without an envelope are given as they are, also when something is not ready', async () => {
  const body = { status: 'not ready', problems: { database: 'gone' } };
  const { client } = await daemon(answering(JSON.stringify(body), 503));
  expect(await client.call('getReadiness')).toEqual(body);
});

test('bytes are bytes, and their absence is an error', async () => {
  const { client } = await daemon(({ url }, response) => {
    if (url.endsWith('/there'))
      response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(Buffer.from([1, 2]));
    else reply(response, failure(-404, 'PluginDaemonNotFoundError', 'asset not found'), 404);
  });
  expect([...(await client.bytes('getAsset', { id: 'there' }))]).toEqual([1, 2]);
  await expect(client.bytes('getAsset', { id: 'gone' })).rejects.toThrow('asset not found');
});

test.each([
  ['a page of a proxy', '<html>502</html>', 502],
  ['an unknown route', '{"code":"not_found","message":"route not found"}', 404],
  ['another JSON', '[]', 200],
])('%s is not taken for an answer', async (_what, body, status) => {
  const { client } = await daemon(answering(body, status));
  const error = await errorOf(client.call('getDebuggingKey'));
  expect(error).toBeInstanceOf(UnexpectedAnswerError);
  expect(error.message).toContain(body);
});

test('an event that is no JSON is not taken for one', async () => {
  const { client } = await daemon(streaming('{half'));
  await expect(client.invoke('invokeTool', 'a/b', { provider: 'p', tool: 't' }).next()).rejects.toBeInstanceOf(
    UnexpectedAnswerError,
  );
});

test('a daemon that is not there, or leaves in the middle, is unreachable', async () => {
  const { client } = await daemon((_seen, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`data: ${success({ type: 'text' })}\n\n`);
    setImmediate(() => response.destroy());
  });
  await expect(
    Array.fromAsync(client.invoke('invokeTool', 'a/b', { provider: 'p', tool: 't' })),
  ).rejects.toBeInstanceOf(DaemonUnreachableError);
  await using nobody = new DaemonClient({ url: 'http://127.0.0.1:1', key: 'k' });
  const error = await errorOf(nobody.call('getLiveness'));
  expect(error).toBeInstanceOf(DaemonUnreachableError);
  expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
});

test('an installation is watched to its end', async () => {
  const states = ['pending', 'running', 'success'];
  const task = (status: string | undefined) => ({
    status,
    plugins: [{ plugin_id: 'a/b', status, message: 'no wheel' }],
  });
  const { client } = await daemon(({ method }, response) => {
    reply(response, success(method === 'POST' ? { all_installed: false, task_id: 'x' } : task(states.shift())));
  });
  const seen: string[] = [];
  await client.install('a/b:0.0.1@c', { progress: ({ status }) => seen.push(status), everyMs: 1 });
  expect(seen).toEqual(['pending', 'running', 'success']);
  states.push('failed');
  const error = await errorOf(client.install('a/b:0.0.1@c', { everyMs: 1 }));
  expect(error).toBeInstanceOf(InstallFailedError);
  expect(error.message).toBe('a/b: no wheel');
});
