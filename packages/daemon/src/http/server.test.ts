import http from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { array, int, min, record, required, string } from '@plugin-daemon/wire-schema';
import { afterEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer, RawJson, route } from './index.ts';

const Page = record('', { page: int('Page').check(required, min(1)), page_size: int('PageSize').check(required) });
const Named = record('', { id: string('ID').check(required), list: array('List', string('')) });

let server: HttpServer | undefined;
const faults: unknown[] = [];
const finished: string[] = [];

/** The envelope's data, or whatever the answer is. */
const dataOf = async (response: Response): Promise<unknown> => {
  const body: unknown = await response.json();
  return typeof body === 'object' && body !== null && 'data' in body ? body.data : body;
};

async function start() {
  faults.length = 0;
  finished.length = 0;
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'key',
    onFinished: (_request, reply, pattern) => finished.push(`${pattern} ${reply.statusCode}`),
    onFault: (error) => faults.push(error),
    routes: [
      route({
        method: 'GET',
        group: 'plugin',
        path: '/list',
        tag: 't',
        summary: 's',
        request: Page,
        handle: ({ tenantId, input }) => ({ tenantId, ...input }),
      }),
      route({
        method: 'POST',
        group: 'plugin',
        path: '/named',
        aliases: ['/named/'],
        tag: 't',
        summary: 's',
        request: Named,
        handle: ({ input }) => input,
      }),
      route({
        method: 'GET',
        group: 'plugin',
        path: '/big',
        tag: 't',
        summary: 's',
        handle: () => new RawJson(`"${'x'.repeat(5000)}"`),
      }),
      route({
        method: 'GET',
        group: 'plugin',
        path: '/fails/:how',
        tag: 't',
        summary: 's',
        handle: ({ params }) => {
          if (params.how === 'known') throw new DaemonError('plugin-not-found', 'plugin not found');
          throw new Error('surprise');
        },
      }),
      route({
        method: 'POST',
        group: 'public',
        path: '/raw',
        tag: 't',
        summary: 's',
        handleRaw: async ({ request }, reply) => {
          let size = 0;
          for await (const part of request.raw) size += part.length;
          reply.raw.writeHead(200).end(String(size));
        },
      }),
      route({
        method: 'GET',
        group: 'public',
        path: '/raw-get',
        tag: 't',
        summary: 's',
        handleRaw: async (_call, reply) => {
          reply.raw.writeHead(200, { 'Content-Length': 4 }).end('text');
        },
      }),
      route({ method: 'GET', group: 'admin', path: '/x', tag: 't', summary: 's', handle: () => 1 }),
    ],
  });
  const { port } = await server.listen();
  return (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { 'X-Api-Key': 'key', ...init.headers } });
}

afterEach(async () => {
  await server?.close(AbortSignal.abort());
});

const inner = async (response: Response) => {
  const body: unknown = await response.json();
  if (typeof body !== 'object' || body === null || !('message' in body)) throw new Error('no envelope');
  return JSON.parse(String(body.message));
};

test('a query is bound, validated and answered in the envelope', async () => {
  const call = await start();
  const good = await call('/plugin/t1/list?page=2&page_size=3');
  expect([good.status, good.headers.get('content-type'), await good.json()]).toEqual([
    200,
    'application/json; charset=utf-8',
    { code: 0, message: 'success', data: { tenantId: 't1', page: 2, page_size: 3 } },
  ]);
  const bad = await call('/plugin/t1/list?page=0');
  expect(bad.status).toBe(400);
  expect((await inner(bad)).message).toBe(
    "Key: 'Page' Error:Field validation for 'Page' failed on the 'required' tag\nKey: 'PageSize' Error:Field validation for 'PageSize' failed on the 'required' tag",
  );
});

test('a JSON body on GET is taken where the query says nothing', async () => {
  const call = await start();
  const { port } = new URL((await call('/nothing')).url);
  const body = '{"page":4,"PageSize":5}';
  const answer = await new Promise<string>((resolve, reject) => {
    http
      .request(
        {
          port,
          path: '/plugin/t/list',
          method: 'GET',
          headers: { 'X-Api-Key': 'key', 'Content-Type': 'application/json', 'Content-Length': body.length },
        },
        (res) => {
          res.on('data', (d) => resolve(String(d)));
        },
      )
      .on('error', reject)
      .end(body);
  });
  expect(JSON.parse(answer).data).toEqual({ tenantId: 't', page: 4, page_size: 5 });
});

test('bodies count by their media type', async () => {
  const call = await start();
  const post = (type: string | undefined, body: string) =>
    call('/plugin/t/named/', { method: 'POST', body, headers: type === undefined ? {} : { 'Content-Type': type } });
  expect(await dataOf(await post('application/json', '{"id":"a","list":["x"]} trailing'))).toEqual({
    id: 'a',
    list: ['x'],
  });
  expect(await dataOf(await post('application/x-www-form-urlencoded', 'ID=b'))).toEqual({
    id: 'b',
    list: null,
  });
  expect((await post('Application/JSON', '{"id":"a"}')).status).toBe(400);
  expect((await post('application/json', '{"id":')).status).toBe(400);
  expect((await post('text/plain', 'id')).status).toBe(400);
});

test('a path is served with and without its trailing slash', async () => {
  const call = await start();
  expect(await dataOf(await call('/plugin/t/list/?page=1&page_size=1'))).toMatchObject({ page: 1 });
  expect((await call('/plugin/t/named/', { method: 'POST', body: '{}' })).status).toBe(400);
  expect((await call('/plugin/t/list//?page=1&page_size=1')).status).toBe(404);
});

test.each(['page=1&page_size=1;', 'page=1&page_size=1&x=%zz', 'page=9223372036854777000&page_size=1'])(
  'a query that is not well-formed binds nothing: %s',
  async (query) => {
    const call = await start();
    expect((await call(`/plugin/t/list?${query}`)).status).toBe(400);
  },
);

test.each(['', 'application/json, text/plain', 'nonsense'])('what is no media type binds nothing: %j', async (type) => {
  const call = await start();
  const answer = await call('/plugin/t/named', {
    method: 'POST',
    headers: { 'Content-Type': type },
    body: '{"id":"a"}',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: -400 });
});

test('without JSON, the query counts beside the form, by the names of messages', async () => {
  const call = await start();
  const post = (type: string, body: string) =>
    call('/plugin/t/named?ID=q', { method: 'POST', headers: { 'Content-Type': type }, body });
  expect(await dataOf(await post('text/plain', 'x'))).toMatchObject({ id: 'q' });
  expect(await dataOf(await post('application/x-www-form-urlencoded', 'ID=f'))).toMatchObject({ id: 'f' });
  expect((await post('application/json', '{}')).status).toBe(400);
});

test('of a header that comes more than once the first counts, whatever follows', async () => {
  const call = await start();
  const url = new URL((await call('/plugin/t1/list?page=1&page_size=1')).url);
  const statusOf = (...keys: string[]): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = ['Host', url.host, ...keys.flatMap((key) => ['X-Api-Key', key])];
      http
        .get(url, { headers }, (answer) => {
          answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
        })
        .once('error', reject);
    });
  expect(await statusOf('key', 'key')).toBe(200);
  expect(await statusOf('key', 'wrong')).toBe(200);
  expect(await statusOf('wrong', 'key')).toBe(401);
  // One header that holds both is one key.
  expect(await statusOf('key, key')).toBe(401);
});

test('a wrong or missing key is refused; unknown routes and methods are 404', async () => {
  const call = await start();
  expect((await call('/plugin/t/list', { headers: { 'X-Api-Key': 'kez' } })).status).toBe(401);
  expect((await call('/admin/x')).status).toBe(401);
  for (const response of [
    await call('/nothing'),
    await call('/plugin/t/list', { method: 'POST' }),
    await call('/plugin/t/named', { method: 'HEAD' }),
  ]) {
    expect(response.status).toBe(404);
  }
  expect(await (await call('/nothing')).text()).toBe('{"code":"not_found","message":"route not found"}');
  expect(finished).toContain(' 404');
});

test.each([`/plugin/t1/fails/${'x'.repeat(9000)}`, '/plugin/t1/fails/%ed%a0%80', '/plugin/%zz/list'])(
  'a path that no route can have is 404, and not repeated: %#',
  async (path) => {
    const call = await start();
    const response = await call(path);
    expect([response.status, await response.text()]).toEqual([404, '{"code":"not_found","message":"route not found"}']);
  },
);

test('errors of services come with 200 and their type; surprises are reported as faults', async () => {
  const call = await start();
  const known = await call('/plugin/t/fails/known');
  expect(known.status).toBe(200);
  expect(await known.json()).toEqual({
    code: -404,
    data: null,
    message: '{"message":"plugin not found","error_type":"PluginNotFoundError","args":null}',
  });
  expect(faults).toEqual([]);
  expect(await inner(await call('/plugin/t/fails/unknown'))).toEqual({
    message: 'surprise',
    error_type: 'PluginDaemonInternalServerError',
    args: null,
  });
  expect(faults).toHaveLength(1);
});

test('large answers are compressed for clients that accept it', async () => {
  const call = await start();
  const response = await call('/plugin/t/big', { headers: { 'Accept-Encoding': 'gzip' } });
  expect(response.headers.get('content-encoding')).toBe('gzip');
  expect(await dataOf(response)).toHaveLength(5000);
});

test.each([
  ['gzip, deflate, br, zstd', 'gzip'],
  ['br', 'br'],
  ['*', 'gzip'],
])('of what a client takes (%s), gzip comes first', async (accepted, encoding) => {
  const call = await start();
  const response = await call('/plugin/t/big', { headers: { 'Accept-Encoding': accepted } });
  expect(response.headers.get('content-encoding')).toBe(encoding);
  expect(await dataOf(response)).toHaveLength(5000);
});

test('HEAD is answered where GET is, with the head of its answer', async () => {
  const call = await start();
  const plain = { 'Accept-Encoding': 'identity' };
  for (const path of ['/plugin/t/list?page=1&page_size=1', '/plugin/t/big', '/plugin/t/fails/known', '/raw-get']) {
    const get = await call(path, { headers: plain });
    const head = await call(path, { method: 'HEAD', headers: plain });
    expect([path, head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      path,
      get.status,
      get.headers.get('content-length'),
      '',
    ]);
  }
  expect((await call('/plugin/t/list', { method: 'HEAD', headers: { 'X-Api-Key': 'kez' } })).status).toBe(401);
});

test('a raw route gets the body unread, of any type and size', async () => {
  const call = await start();
  for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain']) {
    const response = await call('/raw', {
      method: 'POST',
      body: 'y'.repeat(9 << 20),
      headers: { 'Content-Type': type },
    });
    expect(await response.text()).toBe(String(9 << 20));
  }
  expect(finished.filter((f) => f === '/raw 200')).toHaveLength(3);
});
