import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { provided, skipReason } from '@plugin-daemon/services';
import { afterAll, describe, expect, test } from 'vitest';
import { plugin } from '../conformance/fixtures.ts';
import { type Database, type DatabaseOptions, newId, openDatabase } from '../index.ts';
import { connectRaw, createEmpty, freshDatabase, testServers } from '../testing/servers.ts';
import { insertStatements, olderStatements } from '../testing/upstream-rows.ts';
import { upstreamStatements } from '../testing/upstream-schema.ts';
import { parsePlace, transfer } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'transfer-'));
afterAll(() => rmSync(root, { recursive: true }));
let files = 0;
const file = (): DatabaseOptions => ({ type: 'sqlite', file: join(root, `${files++}.sqlite`) });

const tenant = randomUUID();
const many = 1200;

async function fill(options: DatabaseOptions): Promise<void> {
  const database = await openDatabase(options);
  for (let i = 0; i < many; i++) {
    await database.declarations.insertIfAbsent(`acme/p${i}:0.0.1@0`, `acme/p${i}`, JSON.stringify({ i, 插: '件' }));
  }
  const made = plugin('acme/one', '0.0.1', { tool: { identity: { name: 'one' } }, model: { provider: 'm' } });
  await database.lifecycle.installForTenant({
    tenantId: tenant,
    installType: 'local',
    source: 'package',
    meta: { a: [1] },
    ...made,
  });
  await database.lifecycle.setupEndpoint({
    id: newId(),
    tenantId: tenant,
    userId: 'u',
    pluginId: 'acme/one',
    name: 'hook',
    settings: { x: '\u{1F600}' },
  });
  await database.tenantStorages.reserve(tenant, 'acme/one', 123, 1000);
  await database.readmes.insertIfAbsent(made.uniqueIdentifier, [{ language: 'en_US', content: 'read\nme' }]);
  await database.close();
}

async function contents(options: DatabaseOptions): Promise<unknown> {
  const database: Database = await openDatabase(options);
  const page = { page: 1, pageSize: 100 };
  const found = {
    installations: await database.installations.listAllByTenant(tenant),
    endpoints: await database.endpoints.listByTenant(tenant, page),
    tools: await database.projections.list('tool', tenant, page),
    models: await database.projections.modelBindings(tenant),
    plugins: await database.plugins.list(),
    size: await database.tenantStorages.size(tenant, 'acme/one'),
    readmes: await database.readmes.list(`acme/one:0.0.1@${'a'.repeat(64)}`),
    last: (await database.declarations.find(`acme/p${many - 1}:0.0.1@0`))?.json,
  };
  await database.close();
  return found;
}

describe.each(testServers)('between SQLite and %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }

  test('every row goes there and back, and is what it was', async () => {
    const [start, there, back] = [file(), freshDatabase(server), file()];
    await fill(start);
    const before = await contents(start);

    const dry = await transfer(start, there, { dryRun: true });
    expect(dry).toMatchObject({ moved: false, problems: [] });
    expect(dry.tables.find(({ table }) => table === 'plugin_declarations')?.rows).toBe(many + 1);
    await expect(connectRaw(there)).rejects.toThrow(/exist|Unknown database/);

    expect(await transfer(start, there, { dryRun: false })).toEqual({ ...dry, moved: true });
    expect(await contents(there)).toEqual(before);
    await expect(transfer(start, there, { dryRun: false })).rejects.toMatchObject({
      message: expect.stringContaining('is not empty'),
    });
    expect(await transfer(there, back, { dryRun: false })).toMatchObject({ moved: true });
    expect(await contents(back)).toEqual(before);
  });

  test("a database of the existing daemon is moved with what is the daemon's of it", async () => {
    const [from, to] = [freshDatabase(server), file()];
    await createEmpty(from);
    {
      await using raw = await connectRaw(from);
      for (const text of [...upstreamStatements(from.type), ...insertStatements(from.type), ...olderStatements]) {
        await raw.query(text);
      }
    }
    const report = await transfer(from, to, { dryRun: false });
    expect(report).toMatchObject({ moved: true, otherTables: ['plugin_readmes'] });
    expect(report.tables.find(({ table }) => table === 'plugins')).toEqual({
      table: 'plugins',
      rows: 3,
      leftBehind: ['declaration'],
    });
  });

  test('what the server cannot store is said before anything is written', async () => {
    const [from, to] = [file(), freshDatabase(server)];
    const database = await openDatabase(from);
    const made = plugin(`acme/${'x'.repeat(300)}`);
    await database.lifecycle.installForTenant({
      tenantId: 'no-uuid',
      installType: 'local',
      source: 'package',
      meta: {},
      ...made,
    });
    await database.close();
    const report = await transfer(from, to, { dryRun: false });
    expect(report.moved).toBe(false);
    expect(report.problems).toContainEqual(
      expect.stringMatching(/^plugins .*: plugin_id has more than 255 characters$/),
    );
    expect(report.problems.some((problem) => problem.includes('is no UUID'))).toBe(to.type === 'postgresql');
    await expect(connectRaw(to)).rejects.toThrow(/exist|Unknown database/);
  });

  test('a source that a daemon works on is left alone', async () => {
    const from = freshDatabase(server);
    const database = await openDatabase(from);
    await database.installTasks.create({
      tenantId: tenant,
      plugins: [],
      lease: { owner: 'node-7', durationMs: 60_000 },
    });
    await expect(transfer(from, file(), { dryRun: true })).rejects.toMatchObject({
      message: expect.stringContaining('node-7'),
    });
    await database.close();
  });
});

test('from file to file, and nothing from a file that is not there', async () => {
  const [from, to] = [file(), file()];
  await expect(transfer(from, to, { dryRun: false })).rejects.toMatchObject({ failure: 'absent' });
  const older = from.type === 'sqlite' ? new DatabaseSync(from.file) : undefined;
  older?.exec('create table plugins (id text primary key, plugin_id text, declaration text)');
  older?.exec("insert into plugins values ('1', 'a/b', 'x')");
  older?.close();
  const report = await transfer(from, to, { dryRun: false });
  expect(report).toMatchObject({ moved: true, tables: [{ table: 'plugins', rows: 1, leftBehind: ['declaration'] }] });
});

test.each([
  ['sqlite:/a/b.sqlite', { type: 'sqlite', file: '/a/b.sqlite' }],
  ['sqlite:///a/b.sqlite', { type: 'sqlite', file: '/a/b.sqlite' }],
  [
    'postgresql://u:p%40ss%2Fw@db/plugins?sslmode=verify-full&sslrootcert=/ca',
    {
      type: 'postgresql',
      host: 'db',
      port: 5432,
      user: 'u',
      password: 'p@ss/w',
      database: 'plugins',
      tls: { mode: 'verify-full', rootCertificate: '/ca' },
    },
  ],
  ['mysql://u@[::1]:3307/p', { type: 'mysql', host: '::1', port: 3307, password: '', tls: { mode: 'disable' } }],
])('%s names a database', (text, place) => {
  expect(parsePlace(text)).toMatchObject(place);
});

test.each([
  'oracle://x/y',
  'postgresql://u:geheim@/db',
  'postgresql://u:geheim@h/',
  'mysql://u:geheim@h/d?sslmode=maybe',
  'nothing',
])('%s is refused without its password', (text) => {
  expect(() => parsePlace(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('geheim') }));
});
