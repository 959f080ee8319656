import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterEach, expect, test } from 'vitest';
import { createHttpServer } from '../server.ts';
import type { HttpServer } from '../server-options.ts';
import { type EndpointRoutesDeps, endpointRoutes } from './routes.ts';

let server: HttpServer | undefined;
afterEach(async () => server?.close(AbortSignal.abort()));

async function serve(over: Partial<EndpointRoutesDeps['endpoints']> = {}) {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    async (...args: unknown[]): Promise<never> => {
      calls.push([name, ...args]);
      return [] as never;
    };
  const endpoints = {
    ...Object.fromEntries(
      ['setup', 'update', 'remove', 'setEnabled', 'list', 'listByPlugin'].map((name) => [name, record(name)]),
    ),
    ...over,
  } as unknown as EndpointRoutesDeps['endpoints'];
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'k',
    routes: endpointRoutes({ endpoints }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  const { app } = server;
  const ask = async (method: 'GET' | 'POST', path: string, payload?: unknown) => {
    const response = await app.inject({
      method,
      url: `/plugin/t/endpoint${path}`,
      headers: { 'x-api-key': 'k', 'content-type': 'application/json' },
      ...(payload !== undefined && { payload: JSON.stringify(payload) }),
    });
    const { code, message, data } = response.json();
    return { status: response.statusCode, code, data, text: code === 0 ? message : JSON.parse(message).message };
  };
  return { ask, calls };
}

const uid = `acme/hooks:0.0.1@${'a'.repeat(64)}`;
const violation = (field: string, tag: string): string =>
  `Key: '${field}' Error:Field validation for '${field}' failed on the '${tag}' tag`;

test('requests reach the service bound; null settings are empty ones', async () => {
  const { ask, calls } = await serve();
  const body = { user_id: 'u', name: 'n', settings: null };
  expect(await ask('POST', '/setup', { plugin_unique_identifier: uid, ...body })).toEqual({
    status: 200,
    code: 0,
    data: true,
    text: 'success',
  });
  await ask('POST', '/update', { endpoint_id: 'e', ...body, settings: { a: 1 } });
  await ask('POST', '/remove', { endpoint_id: 'e' });
  await ask('POST', '/enable', { endpoint_id: 'e' });
  await ask('POST', '/disable', { endpoint_id: 'e' });
  expect((await ask('GET', '/list?page=-1&page_size=100')).data).toEqual([]);
  await ask('GET', '/list/plugin?plugin_id=a%2Fb&page=1&page_size=2');
  expect(calls).toEqual([
    ['setup', { tenantId: 't', userId: 'u', identifier: uid, name: 'n', settings: {} }],
    ['update', { tenantId: 't', userId: 'u', endpointId: 'e', name: 'n', settings: { a: 1 } }],
    ['remove', 't', 'e'],
    ['setEnabled', 't', 'e', true],
    ['setEnabled', 't', 'e', false],
    ['list', 't', { page: -1, pageSize: 100 }],
    ['listByPlugin', 't', 'a/b', { page: 1, pageSize: 2 }],
  ]);
});

test.each([
  [
    'POST',
    '/setup',
    {},
    [violation('PluginUniqueIdentifier', 'required'), violation('UserID', 'required'), violation('Name', 'required')],
  ],
  [
    'POST',
    '/setup',
    { plugin_unique_identifier: 'x', user_id: 'u', name: 'n' },
    [violation('PluginUniqueIdentifier', 'plugin_unique_identifier')],
  ],
  [
    'POST',
    '/setup',
    { plugin_unique_identifier: uid, user_id: 5, name: ['n'], settings: 'x' },
    [violation('UserID', 'required'), violation('Name', 'required')],
  ],
  [
    'POST',
    '/update',
    { settings: [] },
    [violation('EndpointID', 'required'), violation('UserID', 'required'), violation('Name', 'required')],
  ],
  ['POST', '/remove', {}, [violation('EndpointID', 'required')]],
  ['GET', '/list?page=1&page_size=101', undefined, [violation('PageSize', 'max')]],
  ['GET', '/list?page=x&page_size=10', undefined, [violation('Page', 'required'), violation('PageSize', 'required')]],
  ['GET', '/list/plugin?page=1&page_size=10', undefined, [violation('PluginID', 'required')]],
] as const)('%s %s %j is 400', async (method, path, payload, lines) => {
  const { ask, calls } = await serve();
  expect(await ask(method, path, payload)).toEqual({ status: 400, code: -400, data: null, text: lines.join('\n') });
  expect(calls).toEqual([]);
});

test('failures of the service come with HTTP 200', async () => {
  const { ask } = await serve({
    remove: () => Promise.reject(new DaemonError('internal', 'failed to remove endpoint: record not found')),
  });
  expect(await ask('POST', '/remove', { endpoint_id: 'e' })).toMatchObject({
    status: 200,
    code: -500,
    text: 'failed to remove endpoint: record not found',
  });
});
