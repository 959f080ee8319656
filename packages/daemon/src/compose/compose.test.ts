import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reservePort } from '@plugin-daemon/bench';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSettings } from '../config/index.ts';
import { defaultLimits } from '../http/index.ts';
import { VERSION } from '../version.ts';
import { limits } from './http.ts';
import { type Daemon, startDaemon } from './index.ts';

let directory: string;
let running: Daemon[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'compose-'));
  running = [];
});

afterEach(async () => {
  for (const daemon of running) await daemon.stop(AbortSignal.abort());
  rmSync(directory, { recursive: true, force: true });
});

async function start(changes: Readonly<Record<string, string>> = {}): Promise<Daemon> {
  const environment = {
    DATA_DIR: join(directory, 'data'),
    SERVER_PORT: String(await reservePort()),
    PLUGIN_REMOTE_INSTALLING_PORT: String(await reservePort()),
    LOG_LEVEL: 'error',
    PATH: process.env.PATH,
    ...changes,
  };
  const daemon = await startDaemon(loadSettings(environment, { cwd: directory }), environment);
  running.push(daemon);
  return daemon;
}

const urlOf = (daemon: Daemon) => `http://127.0.0.1:${daemon.address.port}`;

test('it serves; stopped, it lets go of everything, and the next one may use the directory', async () => {
  const first = await start();
  expect((await fetch(`${urlOf(first)}/health/check`)).status).toBe(200);
  await expect(start()).rejects.toThrow(/in use by another daemon/);
  await Promise.all([first.stop(new AbortController().signal), first.stop(new AbortController().signal)]);
  await expect(fetch(`${urlOf(first)}/health/check`)).rejects.toThrow();
  expect(existsSync(join(directory, 'data', 'daemon.json'))).toBe(false);
  const second = await start();
  expect((await fetch(`${urlOf(second)}/health/check`)).status).toBe(200);
});

test('a start that fails late closes what was opened before', async () => {
  const first = await start();
  const taken = String(first.address.port);
  const other = join(directory, 'other');
  await expect(start({ DATA_DIR: other, SERVER_PORT: taken })).rejects.toMatchObject({
    message: expect.stringContaining('the port is in use'),
    remedy: expect.stringContaining('SERVER_PORT'),
  });
  const second = await start({ DATA_DIR: other });
  expect((await fetch(`${urlOf(second)}/health/check`)).status).toBe(200);
});

test('a taken debugging port names its own setting', async () => {
  const first = await start();
  await expect(
    start({ DATA_DIR: join(directory, 'other'), PLUGIN_REMOTE_INSTALLING_PORT: String(first.address.port) }),
  ).rejects.toMatchObject({ remedy: expect.stringContaining('PLUGIN_REMOTE_INSTALLING_PORT') });
});

test('what a killed daemon left in the directory of waiting answers is gone', async () => {
  const daemon = await start();
  await daemon.stop(AbortSignal.abort());
  const spilled = join(directory, 'data', 'tmp', '1-2.spill');
  writeFileSync(spilled, 'bytes');
  await start();
  expect(readdirSync(join(directory, 'data', 'tmp'))).toEqual([]);
});

test('the health answer counts the request that asks for it', async () => {
  const daemon = await start();
  const health: unknown = await (await fetch(`${urlOf(daemon)}/health/check`)).json();
  expect(health).toMatchObject({ status: 'ok', active_requests: 1, active_dispatch_requests: 0 });
});

test('parts that are switched off are not there', async () => {
  const daemon = await start({
    PLUGIN_REMOTE_INSTALLING_ENABLED: 'false',
    PLUGIN_ENDPOINT_ENABLED: 'false',
    PROMETHEUS_ENABLED: 'false',
    SERVER_KEY: 'a-key',
    SERVER_HOST: '127.0.0.1',
  });
  const headers = { 'x-api-key': 'a-key' };
  const tenant = '/plugin/00000000-0000-4000-8000-000000000001';
  const key = await fetch(`${urlOf(daemon)}${tenant}/debugging/key`, { method: 'POST', headers });
  // Dify's page of plugins asks for it whatever is switched off.
  expect([key.status, await key.json()]).toEqual([200, { code: 0, message: 'success', data: { key: '' } }]);
  expect((await fetch(`${urlOf(daemon)}/e/hook/path`)).status).toBe(404);
  expect((await fetch(`${urlOf(daemon)}/metrics/`)).status).toBe(404);
  expect((await fetch(`${urlOf(daemon)}${tenant}/management/list?page=1&page_size=10`, { headers })).status).toBe(200);
});

test('/ leads to what the asker may read, relative to wherever it is mounted', async () => {
  const open = await start();
  const answer = await fetch(`${urlOf(open)}/`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([302, 'docs']);
  const closed = await start({ DATA_DIR: join(directory, 'other'), DETAILS_ACCESS: 'key' });
  const health = await fetch(`${urlOf(closed)}/`);
  expect([health.url.endsWith('/health/check'), await health.json()]).toEqual([
    true,
    expect.objectContaining({ version: VERSION }),
  ]);
});

test('details need a key where they are not open; a second server shows them without', async () => {
  const port = await reservePort();
  const daemon = await start({ DETAILS_ACCESS: 'key', DETAILS_KEY: 'details-key', DETAILS_PORT: String(port) });
  for (const path of ['/metrics', '/metrics/', '/docs', '/docs/', '/openapi.json']) {
    const ask = async (url: string, init?: RequestInit) => (await fetch(url + path, init)).status;
    const headers = { authorization: 'Bearer details-key' };
    expect([
      path,
      await ask(urlOf(daemon)),
      await ask(urlOf(daemon), { headers }),
      await ask(urlOf(daemon), { headers, method: 'HEAD' }),
      await ask(`http://127.0.0.1:${port}`),
    ]).toEqual([path, 401, 200, 200, 200]);
  }
  expect((await fetch(`http://127.0.0.1:${port}/plugin/t/management/list`)).status).toBe(404);
  await daemon.stop(AbortSignal.abort());
  await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
});

test('beyond the loopback details need a key without a word', async () => {
  const daemon = await start({ SERVER_HOST: '0.0.0.0' });
  expect((await fetch(`${urlOf(daemon)}/metrics/`)).status).toBe(401);
  expect((await fetch(`${urlOf(daemon)}/readyz`)).status).toBe(200);
  const open = await start({ DATA_DIR: join(directory, 'other'), SERVER_HOST: '0.0.0.0', DETAILS_ACCESS: 'open' });
  expect((await fetch(`${urlOf(open)}/metrics/`)).status).toBe(200);
});

test('the defaults of the settings are those of the server', () => {
  expect(limits(loadSettings({}, { cwd: directory }))).toEqual(defaultLimits);
});
