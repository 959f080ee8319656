import { afterEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer } from '../index.ts';
import { adminRoutes } from './index.ts';

const IDENTIFIER = `acme/demo:0.0.1@${'a'.repeat(64)}`;
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close(AbortSignal.abort());
});

const asked: unknown[] = [];
const auditEvents = {
  list: async (page: object) => {
    asked.push(page);
    return [];
  },
};

const said: unknown[] = [];
const shared = { name: 'e'.repeat(32), bytes: 10, plugins: 2, sdk: '0.7.4', python: '3.12.1' };
const processes = {
  environments: {
    list: async () => [shared],
    collect: async (options: object) => {
      said.push(options);
      return { directories: [], environments: [{ name: shared.name, bytes: 10, removed: true }], bytecodeBytes: 3 };
    },
  },
  policies: {
    list: () => [{ plugin_id: 'acme/demo', from: 'api', policy: { min: 1 } }] as const,
    set: async (...what: unknown[]) => void said.push(what),
  },
  starts: () => ({ [IDENTIFIER]: 'plain: it is the first' }),
  supervisor: {
    pools: () => [
      {
        plugin_unique_identifier: IDENTIFIER,
        state: 'asleep' as const,
        instances: 0,
        open_calls: 0,
        waiting_calls: 0,
        problem: null,
      },
    ],
  },
};

async function call(path: string, body: unknown, key = 'admin-key-1') {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'server-key',
    adminKey: 'admin-key-1',
    routes: adminRoutes({ auditEvents, ...processes }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  const { port } = await server.listen();
  const response = await fetch(`http://127.0.0.1:${port}/admin/plugin/serverless/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Admin-Api-Key': key, 'X-Api-Key': 'server-key' },
    body: JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

test('the server key is not enough', async () => {
  expect((await call('reinstall', {}, 'server-key')).status).toBe(401);
});

test('reinstall says in its stream that this platform has no functions', async () => {
  const { status, text } = await call('reinstall', { plugin_unique_identifier: IDENTIFIER });
  expect(status).toBe(200);
  expect(text).toBe(
    'data: {"code":0,"message":"success","data":{"event":"error","data":"reinstall is not supported on local platform"}}\n\n',
  );
});

test('a malformed identifier is refused', async () => {
  const { status, text } = await call('reinstall', { plugin_unique_identifier: 'nonsense' });
  expect(status).toBe(400);
  expect(text).toContain("failed on the 'plugin_unique_identifier' tag");
});

test('switching needs name and URL, and is not for this platform', async () => {
  expect((await call('switch-endpoint', { plugin_unique_identifier: IDENTIFIER })).text).toContain("'FunctionName'");
  const { status, text } = await call('switch-endpoint', {
    plugin_unique_identifier: IDENTIFIER,
    function_name: 'f',
    function_url: 'u',
  });
  expect(status).toBe(200);
  expect(text).toContain('switch serverless runtime is not supported on local platform');
});

test('the audit log is read by pages', async () => {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'server-key',
    adminKey: 'admin-key-1',
    routes: adminRoutes({ auditEvents, ...processes }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  for (const url of ['/admin/audit', '/admin/audit?limit=5000&before=x&tenant_id=t', '/admin/audit?limit=-1'])
    expect(
      (await server.app.inject({ method: 'GET', url, headers: { 'x-admin-api-key': 'admin-key-1' } })).json(),
    ).toEqual({ code: 0, message: 'success', data: [] });
  expect(asked).toEqual([{ limit: 100 }, { limit: 1000, before: 'x', tenantId: 't' }, { limit: 1 }]);
  expect((await server.app.inject({ method: 'GET', url: '/admin/audit' })).statusCode).toBe(401);
});

test('policies of plugins are said field by field, checked, and listed with what runs', async () => {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'server-key',
    adminKey: 'admin-key-1',
    routes: adminRoutes({ auditEvents, ...processes }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  const ask = async (method: 'GET' | 'PUT', path: string, payload?: object) => {
    const headers = { 'x-admin-api-key': 'admin-key-1' };
    const answer = await server?.app.inject({
      method,
      url: `/admin/plugins/${path}`,
      headers,
      ...(payload && { payload }),
    });
    return { status: answer?.statusCode, data: answer?.json().data, message: answer?.json().message };
  };
  expect((await ask('PUT', 'policies', { plugin_id: 'acme/demo', min: 1, idle_seconds: 0 })).data).toBe(true);
  expect((await ask('PUT', 'policies', { plugin_id: 'acme/demo' })).data).toBe(true);
  expect(said).toEqual([
    ['acme/demo', { min: 1, idle_seconds: 0 }],
    ['acme/demo', {}],
  ]);
  const wrong: readonly [object, string][] = [
    [{ plugin_id: 'acme/demo', min: 3, max: 2 }, 'min is 3, which is more than max, 2'],
    [{ plugin_id: 'acme/demo', min: '1' }, 'min is not a whole number'],
    [{ plugin_id: 'acme/demo', min: 0.5 }, 'min is not a whole number'],
    [{ plugin_id: 'acme/demo', min: true }, 'min is not a whole number'],
    [{ plugin_id: 'acme/demo', breaker_open_seconds: 0 }, 'breaker_open_seconds is not a whole number from 1'],
    [{ plugin_id: 'acme/demo', idle: 60 }, 'idle is no field: there are plugin_id, min'],
    [{ plugin_id: 'acme/demo', Min: 1 }, 'Min is no field'],
    [{ plugin_id: IDENTIFIER, min: 1 }, 'is no plugin id: that is author/name'],
    [{ plugin_id: 'Acme/Demo', min: 1 }, 'is no plugin id'],
    [{ plugin_id: 'a/b/c', min: 1 }, 'is no plugin id'],
    [{ min: 3 }, "'PluginID' failed on the 'required' tag"],
    [[], 'the request is not an object'],
  ];
  for (const [payload, text] of wrong) {
    const refused = await ask('PUT', 'policies', payload);
    expect([refused.status, refused.message]).toEqual([400, expect.stringContaining(text)]);
  }
  expect(said).toHaveLength(2);
  expect((await ask('GET', 'policies')).data).toEqual(processes.policies.list());
  expect((await ask('GET', 'processes')).data).toEqual(
    processes.supervisor.pools().map((pool) => ({ ...pool, start: 'plain: it is the first', node: '' })),
  );
});

test('environments are listed, and what nobody uses is listed before it is removed', async () => {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'server-key',
    adminKey: 'admin-key-1',
    routes: adminRoutes({ auditEvents, ...processes }),
    onFinished: () => undefined,
    onFault: () => undefined,
  });
  const ask = async (method: 'GET' | 'POST', path: string, payload?: object) => {
    const headers = { 'x-admin-api-key': 'admin-key-1' };
    const url = `/admin/environments${path}`;
    return (await server?.app.inject({ method, url, headers, ...(payload && { payload }) }))?.json().data;
  };
  said.length = 0;
  expect(await ask('GET', '')).toEqual([shared]);
  expect(await ask('POST', '/collect', {})).toMatchObject({ bytecode_bytes: 3, environments: [{ name: shared.name }] });
  await ask('POST', '/collect', { remove: true, unused_hours: 0 });
  // What is not understood removes nothing, and does not mean another age.
  for (const wrong of [
    { unused_hours: -5 },
    { unused_hours: '7' },
    { hours: 7 },
    { unused_hours: 0.5 },
    { remove: 'true' },
  ])
    expect(await ask('POST', '/collect', { remove: true, ...wrong })).toBeNull();
  expect(said).toEqual([{ dryRun: true }, { dryRun: false, hours: 0 }]);
});
