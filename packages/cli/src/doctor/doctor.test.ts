import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DaemonClient } from '@plugin-daemon/client';
import { expect, onTestFinished, test } from 'vitest';
import { dify, temporaryFolder } from '../../test/harness.ts';
import { markUsed } from '../machine/environment-cache.ts';
import { compareVersions } from '../plugin/cleanup.ts';
import { type CheckResult, runChecks } from './checks.ts';
import { locateDatabase, withDatabase } from './daemon-database.ts';
import { pluginStarts } from './plugin-starts.ts';

async function daemon(
  answer: (path: string, key: string | undefined, body: string) => { status?: number; body: unknown },
): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { status, body: data } = answer(
        request.url ?? '',
        request.headers['x-api-key'] as string | undefined,
        body,
      );
      response.writeHead(status ?? 200, { 'Content-Type': 'application/json' }).end(JSON.stringify(data));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const check = async (env: NodeJS.ProcessEnv, url?: string, key?: string): Promise<Record<string, CheckResult>> => {
  const results = await runChecks({
    env: { HOME: process.env.HOME, DIFY_CLI_CACHE_DIR: join(temporaryFolder(), 'cache'), ...env },
    signal: new AbortController().signal,
    offline: url === undefined,
    url,
    key,
  });
  return Object.fromEntries(results.map((result) => [result.name, result]));
};

test('everything that is wrong has a remedy', async () => {
  const blocked = join(temporaryFolder(), 'file');
  writeFileSync(blocked, '');
  const results = await check({
    PATH: '',
    UV_PATH: '/none/uv',
    SSL_CERT_FILE: '/none/ca',
    HTTPS_PROXY: 'not an address',
    DIFY_CLI_CACHE_DIR: join(blocked, 'below'),
  });
  expect(results).toMatchObject({
    uv: { verdict: 'failed', detail: expect.stringContaining('UV_PATH names /none/uv') },
    certificates: { verdict: 'failed' },
    proxy: { verdict: 'failed' },
    disk: { verdict: 'failed' },
    'package index': { verdict: 'skipped' },
  });
  for (const result of Object.values(results))
    if (result.verdict === 'failed' || result.verdict === 'warning') expect(result.remedy, result.name).toBeTruthy();
});

test('a daemon is reached, and its key tried', async () => {
  const url = await daemon((path, key) =>
    path === '/health/check'
      ? { body: { status: 'ok' } }
      : key === 'good'
        ? { body: { code: 0, message: 'success', data: { list: [], total: 0 } } }
        : { status: 401, body: {} },
  );
  expect((await check({ PATH: '' }, url)).daemon).toMatchObject({ verdict: 'ok' });
  expect((await check({ PATH: '' }, url, 'good')).daemon).toMatchObject({
    verdict: 'ok',
    detail: expect.stringContaining('takes the key'),
  });
  expect((await check({ PATH: '' }, url, 'bad')).daemon).toMatchObject({
    verdict: 'failed',
    remedy: expect.stringContaining('SERVER_KEY'),
  });
  expect((await check({ PATH: '' }, 'http://127.0.0.1:1')).daemon).toMatchObject({ verdict: 'failed' });
});

test('how the plugins of a daemon are started is told, the reasons counted', async () => {
  const starts = { 'a/a': 'forked', 'b/b': 'plain: it does not use the SDK', 'c/c': 'plain: it does not use the SDK' };
  const parents: unknown[] = [{ sdk: '0.10.2', state: 'ready', pid: 7, plugins: 1 }];
  const url = await daemon(() => ({ status: 503, body: { status: 'not ready', problems: {}, starts, parents } }));
  const said = () => pluginStarts(new DaemonClient({ url, key: 'k' }), new AbortController().signal);
  expect(await said()).toEqual({
    verdict: 'ok',
    detail: '1 of 3 plugins were forked, from 1 parents; 2 plain: it does not use the SDK',
  });
  parents.push({ sdk: '0.5.0', state: 'failed', reason: 'importing the SDK starts threads' });
  expect(await said()).toMatchObject({
    verdict: 'warning',
    detail: expect.stringContaining('the parent for SDK 0.5.0 failed: importing the SDK starts threads'),
    remedy: expect.any(String),
  });
});

test('doctor ends with 1 when something needed is missing', async () => {
  const run = await dify(['doctor', '--offline'], {
    env: { PATH: '', SSL_CERT_FILE: '/none', DIFY_CLI_CACHE_DIR: join(temporaryFolder(), 'c') },
  });
  expect(run.exit).toBe(1);
  expect(run.outcome?.text).toMatch(/failed {3}certificates +SSL_CERT_FILE names \/none/);
});

test('migrate makes the database, says so, and keeps out of the way of a daemon', async () => {
  const cwd = temporaryFolder();
  const run = await dify(['migrate'], { cwd, env: { DATA_DIR: 'data' } });
  expect(run.outcome).toMatchObject({ text: 'database migration completed successfully', data: { created: true } });
  expect(existsSync(join(cwd, 'data', 'daemon.sqlite'))).toBe(true);
  expect((await dify(['migrate'], { cwd, env: {} })).outcome?.data).toMatchObject({ created: false });
  await withDatabase(locateDatabase({}, cwd), async () => {
    expect((await dify(['migrate'], { cwd, env: {} })).error).toMatchObject({ code: 'in-use', exit: 1 });
  });
  expect((await dify(['migrate'], { cwd, env: { DB_TYPE: 'postgresql' } })).error).toMatchObject({
    code: 'unsupported-database',
  });
});

test('migrate in a folder that is no daemon’s makes nothing and says so', async () => {
  const cwd = temporaryFolder();
  const run = await dify(['migrate'], { cwd, env: {} });
  expect(run.error).toMatchObject({ code: 'no-database', exit: 1, remedy: expect.stringContaining('DATA_DIR') });
  expect(run.error?.message).toContain('nothing was migrated');
  expect(readdirSync(cwd)).toEqual([]);
});

test('versions compare by number, then a release before its suffixes', () => {
  const sorted = ['1.10.0', '1.9.0', '1.10.0-beta', '1.10.0-alpha', 'junk'].sort(compareVersions);
  expect(sorted).toEqual(['junk', '1.9.0', '1.10.0-alpha', '1.10.0-beta', '1.10.0']);
});

test('cleanup removes old versions, never the newest, never without saying so', async () => {
  const cwd = temporaryFolder();
  const root = join(cwd, 'work');
  for (const name of ['x-0.0.1@aaaa', 'x-0.0.2@bbbb', 'x-0.0.10@cccc', 'y-1.0.0@dddd'])
    mkdirSync(join(root, 'acme', name), { recursive: true });
  mkdirSync(join(root, '.uv-cache', 'z-1.0.0@e'), { recursive: true });
  mkdirSync(join(root, 'acme', 'notes'));
  const dry = await dify(['plugin', 'cleanup', '-p', root, '--dry-run'], { cwd, env: {} });
  expect(dry.outcome?.text).toMatch(
    /^\[dry-run\] Will remove 2 old version directories:\n- acme\/x 0\.0\.1 \(checksum aaaa\) -> /,
  );
  expect(await dify(['plugin', 'cleanup', '-p', root], { cwd, env: {} })).toMatchObject({ exit: 2 });
  expect(readdirSync(join(root, 'acme'))).toHaveLength(5);
  expect((await dify(['plugin', 'cleanup', '-p', root, '-y'], { cwd, env: {} })).outcome?.text).toBe(
    'Cleanup complete.',
  );
  expect(readdirSync(join(root, 'acme')).sort()).toEqual(['notes', 'x-0.0.10@cccc', 'y-1.0.0@dddd']);
  expect((await dify(['plugin', 'cleanup', '-p', root, '-y'], { cwd, env: {} })).outcome?.text).toContain(
    'Nothing to delete',
  );
  expect((await dify(['plugin', 'cleanup', '-p', temporaryFolder()], { cwd, env: {} })).outcome?.text).toContain(
    'No plugins found under',
  );
  expect(await dify(['plugin', 'cleanup'], { cwd })).toMatchObject({ exit: 2 });
});

test('environments long unused are found and deleted, others stay', async () => {
  const cache = temporaryFolder();
  const folder = join(cache, 'environments');
  const [old, used] = ['a', 'b'].map((digit) => `dependencies-0.0.0@${digit.repeat(64)}`);
  const [unreferenced, referenced] = ['c', 'd'].map((digit) => digit.repeat(32));
  const long = new Date(0);
  for (const [name, stored] of [
    [old, unreferenced],
    [used, referenced],
  ]) {
    if (name === undefined || stored === undefined) throw new Error('no name');
    mkdirSync(join(folder, name, '.venv', 'bin'), { recursive: true });
    symlinkSync(join('../../.environments', stored, 'lib'), join(folder, name, '.venv', 'lib'));
    utimesSync(join(folder, name), long, long);
    const record = join(folder, '.environments', stored, 'dify', 'environment.json');
    mkdirSync(join(record, '..'), { recursive: true });
    const interpreter = { path: '/usr/bin/python3', version: '3.12.1', size: 1, modified: 1 };
    const bytes = 3 * 1024 * 1024;
    writeFileSync(record, JSON.stringify({ key: stored, sdk: '0.9.0', interpreter, entries: 1, bytes, made: 0 }));
    utimesSync(record, long, long);
  }
  mkdirSync(join(folder, '.uv-cache'));
  utimesSync(join(folder, '.uv-cache'), long, long);
  await markUsed(join(folder, String(used), '.venv', 'bin', 'python'));
  const env = { DIFY_CLI_CACHE_DIR: cache };
  expect((await check(env)).environments).toMatchObject({
    verdict: 'warning',
    detail: '1 of 2 kept environments were not used for 30 days (3 MB)',
  });
  await dify(['doctor', '--offline', '--prune'], { env: { ...process.env, ...env } });
  expect(readdirSync(folder).toSorted()).toEqual(['.environments', '.uv-cache', used]);
  expect(readdirSync(join(folder, '.environments'))).toEqual([referenced]);
  expect((await check(env)).environments).toMatchObject({
    verdict: 'ok',
    detail: '1 kept, with 1 different contents',
  });
});
