import { afterEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer } from '../index.ts';
import { adminRoutes } from './index.ts';

const IDENTIFIER = `acme/demo:0.0.1@${'a'.repeat(64)}`;
let server: HttpServer | undefined;

afterEach(async () => {
  await server?.close(AbortSignal.abort());
});

async function call(path: string, body: unknown, key = 'admin-key-1') {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'server-key',
    adminKey: 'admin-key-1',
    routes: adminRoutes(),
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
