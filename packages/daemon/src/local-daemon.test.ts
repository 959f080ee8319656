import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDataDirectory, writeAddressFile } from './config/index.ts';
import { localDaemon, openLocalDatabase } from './index.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'local-daemon-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** What a daemon leaves behind that was started in the folder. */
function afterFirstStart(at: string, data = join(at, 'data')): void {
  openDataDirectory({
    DATA_DIR: data,
    PLUGIN_WORKING_PATH: join(data, 'cwd'),
    PLUGIN_STORAGE_LOCAL_ROOT: join(data, 'storage'),
    SERVER_KEY: undefined,
    DIFY_INNER_API_KEY: undefined,
  }).close();
}

test('where no daemon was nothing is said, and nothing is made', () => {
  const at = folder();
  const found = localDaemon(at, { SERVER_PORT: '1234', SERVER_KEY: 'k'.repeat(20) });
  expect(found).toMatchObject({ present: false, url: undefined, debugging: undefined, serverKey: undefined });
  expect(found).toMatchObject({ dataDirectory: join(at, 'data'), databaseType: 'sqlite', problems: [] });
  expect(readdirSync(at)).toEqual([]);
});

test('a daemon is known by its data directory: generated key, address it wrote, else its settings', () => {
  const at = folder();
  afterFirstStart(at);
  expect(localDaemon(at, {})).toMatchObject({
    present: true,
    named: false,
    url: undefined,
    debugging: '127.0.0.1:5003',
  });
  expect(localDaemon(at, {}).serverKey).toMatch(/^[\w-]{56}$/);
  writeFileSync(join(at, '.env'), 'SERVER_HOST=::\nSERVER_PORT=6001\nPLUGIN_REMOTE_INSTALLING_PORT=6002\n');
  expect(localDaemon(at, {})).toMatchObject({ url: 'http://127.0.0.1:6001', debugging: '127.0.0.1:6002' });
  expect(localDaemon(at, { SERVER_HOST: '::1' })).toMatchObject({ url: 'http://[::1]:6001' });
  const http = { address: '0.0.0.0', port: 7001, family: 'IPv4' };
  const remove = writeAddressFile(join(at, 'data'), { http, debugging: undefined });
  expect(localDaemon(at, {})).toMatchObject({ url: 'http://127.0.0.1:7001', debugging: '127.0.0.1:6002' });
  remove();
  expect(localDaemon(at, {})).toMatchObject({ url: 'http://127.0.0.1:6001' });
});

test.each([
  [{ DATA_DIR: 'other' }, { named: true, databaseType: 'sqlite' }],
  [{ DB_TYPE: 'postgres' }, { named: true, databaseType: 'postgresql' }],
  [{ DB_HOST: 'db' }, { named: true, databaseType: 'postgresql' }],
  [
    { DB_TYPE: 'mariadb', DB_HOST: 'db' },
    { named: true, databaseType: 'mysql' },
  ],
])('the settings mean what they mean to the daemon: %j', (env, what) => {
  expect(localDaemon(folder(), env)).toMatchObject(what);
});

test('a broken .env is a problem, not an end', () => {
  const at = folder();
  writeFileSync(join(at, '.env'), 'DATA_DIR="x\n');
  expect(localDaemon(at, { SERVER_PORT: 'many' }).problems.map(({ variable }) => variable)).toEqual([
    '.env',
    'SERVER_PORT',
  ]);
  mkdirSync(join(at, 'sub'));
  writeFileSync(join(at, 'sub', '.env'), Buffer.from([0xff, 0x00, 0xfe]));
  expect(localDaemon(join(at, 'sub'), {}).problems).toMatchObject([{ variable: '.env' }]);
});

test.skipIf(process.getuid?.() !== 0)('files of another user say neither key nor where it is sent', () => {
  const at = folder();
  afterFirstStart(at);
  writeFileSync(join(at, '.env'), 'SERVER_PORT=6001\n');
  expect(localDaemon(at, {}).present).toBe(true);
  chownSync(join(at, '.env'), 4711, 4711);
  expect(localDaemon(at, {})).toMatchObject({ present: false, url: undefined, serverKey: undefined });
  rmSync(join(at, '.env'));
  chownSync(join(at, 'data'), 4711, 4711);
  expect(localDaemon(at, {})).toMatchObject({ present: false, url: undefined, serverKey: undefined });
});

test('its database is opened while it does not run, and by one at a time', async () => {
  const at = folder();
  const daemon = localDaemon(at, {});
  const database = await openLocalDatabase(daemon);
  expect(existsSync(daemon.databaseFile)).toBe(true);
  await database.ping();
  await expect(openLocalDatabase(daemon)).rejects.toThrow('in use by another daemon');
  await database.close();
  await (await openLocalDatabase(daemon)).close();
});
