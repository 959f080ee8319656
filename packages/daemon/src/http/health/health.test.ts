import { afterEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer } from '../index.ts';
import { healthRoutes, type Problems } from './index.ts';

let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close(AbortSignal.abort());
});

const broken: Problems = {
  parts: { database: 'SQLITE_IOERR: /data/daemon.sqlite' },
  plugins: { 'a/b:0.0.1@c': 'exited with 1: postgres://user:password@db', 'a/c:0.0.1@d': 'starting' },
};

const held = { 'a/d:0.0.1@e': 'uid+namespace' };
const parents = [
  { sdk: '0.10.2', state: 'ready', pid: 7, plugins: 3 },
  { sdk: '0.5.0', state: 'failed', reason: 'it starts threads' },
] as const;
const started = { 'a/d:0.0.1@e': 'plain: it does not use the SDK' };

async function ready(problems: Problems, headers: Record<string, string> = {}, detailsNeedKey = true) {
  server = await createHttpServer({
    host: '127.0.0.1',
    port: 0,
    serverKey: 'key',
    detailsNeedKey,
    onFinished: () => undefined,
    onFault: () => undefined,
    routes: healthRoutes({
      version: '1.2.3',
      buildTime: '',
      platform: 'local',
      poolSize: 10,
      figures: async () => ({ requests: 1, dispatches: 0, sessions: 0 }),
      state: async () => ({ problems, isolation: held, starts: started, parents }),
      metrics: undefined,
    }),
  });
  const answer = await server.app.inject({ method: 'GET', url: '/readyz', headers });
  return { status: answer.statusCode, body: answer.json() };
}

test('what is not ready is told to everybody, names and words only to those with a key', async () => {
  expect(await ready(broken)).toEqual({
    status: 503,
    body: { status: 'not ready', problems: { database: 'cannot be reached', plugins: '2 not running' } },
  });
  const full = {
    status: 'not ready',
    problems: { ...broken.parts, ...broken.plugins },
    isolation: held,
    starts: started,
    parents,
  };
  expect(await ready(broken, { 'x-api-key': 'key' })).toEqual({ status: 503, body: full });
  expect(await ready(broken, { 'x-api-key': 'wrong' })).not.toEqual({ status: 503, body: full });
  expect(await ready(broken, {}, false)).toEqual({ status: 503, body: full });
  expect(await ready({ parts: {}, plugins: {} })).toEqual({ status: 200, body: { status: 'ok', problems: {} } });
});
