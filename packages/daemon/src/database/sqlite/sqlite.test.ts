import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { databaseConformance } from '../conformance.suite.ts';
import { DatabaseError, openDatabase, StoredDeclaration } from '../index.ts';
import { migrate } from '../migrate.ts';
import { tables } from '../schema.ts';
import { openSqlite } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'sqlite-'));
afterAll(() => rmSync(root, { recursive: true }));
const at = (name: string) => join(root, name);
const open = (file: string) => openDatabase({ type: 'sqlite', file });
const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

databaseConformance('sqlite, in a file', () => open(at('conformance.sqlite')));

databaseConformance('sqlite, in a file of workers', () =>
  openDatabase({ type: 'sqlite', file: at('workers.sqlite'), shared: 'further' }),
);

databaseConformance('sqlite, in memory', () => open(':memory:'));

const item = (identifier: string) => ({
  plugin_unique_identifier: identifier,
  labels: {},
  icon: '',
  icon_dark: '',
  plugin_id: identifier,
  status: 'pending' as const,
  message: '',
  source: '',
});

function schemaOf(file: string): unknown[] {
  const reader = new DatabaseSync(file, { readOnly: true });
  try {
    return reader.prepare('select type, name, sql from sqlite_schema order by name').all();
  } finally {
    reader.close();
  }
}

test('the migration makes every table, column and index, and a second one changes nothing', async () => {
  const file = at('migrated.sqlite');
  await (await open(file)).close();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const made = schemaOf(file);
  const names = made.map((row) => Object(row).name);
  for (const table of tables)
    expect(names).toEqual(expect.arrayContaining([table.name, ...table.indexes.map((i) => i.name)]));
  await (await open(file)).close();
  expect(schemaOf(file)).toEqual(made);
});

test('the migration adds what is missing and keeps what is there', async () => {
  const file = at('older.sqlite');
  const older = new DatabaseSync(file);
  older.exec(`create table plugins (id text primary key, plugin_unique_identifier text, plugin_id text, declaration text);
    insert into plugins values ('1', 'a/b:1@c', 'a/b', 'kept');
    create table something_else (x)`);
  older.close();
  const database = await open(file);
  expect(await database.plugins.find('a/b:1@c')).toMatchObject({
    id: '1',
    refers: 0,
    source: '',
    install_type: 'local',
  });
  await database.close();
  const reader = new DatabaseSync(file, { readOnly: true });
  expect(reader.prepare('select declaration from plugins').all()).toEqual([
    expect.objectContaining({ declaration: 'kept' }),
  ]);
  reader.close();
});

test('empty values of older rows read as the empty value of their column', async () => {
  const file = at('nulls.sqlite');
  await (await open(file)).close();
  const writer = new DatabaseSync(file);
  writer.exec(`insert into plugin_installations (id, tenant_id, plugin_id, plugin_unique_identifier) values ('1', 't', 'p', 'u');
    insert into endpoints (id, tenant_id, plugin_id, hook_id, settings) values ('1', 't', 'p', 'h', 'null');
    insert into install_tasks (id, status, tenant_id, total_plugins, completed_plugins, plugins)
      values ('1', 'running', 't', 1, 0, '[{"plugin_unique_identifier":"u","labels":null,"status":"running","extra":1}]');
    insert into tenant_storages (id, tenant_id, plugin_id, size) values ('1', 't', 'p', 5), ('2', 't', 'p', 7)`);
  writer.close();
  const database = await open(file);
  expect(await database.installations.find('t', 'p')).toMatchObject({
    runtime_type: 'local',
    meta: {},
    endpoints_active: 0,
  });
  expect(await database.endpoints.findByHookId('h')).toMatchObject({ settings: {}, enabled: false, name: 'default' });
  expect(await database.installTasks.find('t', '1')).toMatchObject({
    plugins: [{ labels: {}, icon: '', status: 'running' }],
  });
  expect(await database.tenantStorages.size('t', 'p')).toBe(12);
  expect(await database.tenantStorages.reserve('t', 'p', 1, 100)).toEqual({ ok: true, size: 13 });
  expect(await database.installTasks.failOrphans('no lease')).toHaveLength(1);
  await database.close();
});

test('a task whose daemon was killed is an orphan for the next one at once', async () => {
  const file = at('killed.sqlite');
  const module = fileURLToPath(new URL('../index.ts', import.meta.url));
  const program = `import { openDatabase } from ${JSON.stringify(module)};
    const database = await openDatabase({ type: 'sqlite', file: process.argv[1] });
    const task = await database.installTasks.create({ tenantId: 't', plugins: [${JSON.stringify(item('a'))}],
      lease: { owner: 'first', durationMs: 3600000 } });
    console.log(task.id);
    for (;;) await database.tenantStorages.reserve('t', 'p', 1, 1e9);`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(daemon.stdout, 'data');
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');

  const database = await open(file);
  expect(await database.installTasks.failOrphans('its daemon died')).toMatchObject([
    { id: String(line).trim(), status: 'failed', plugins: [{ message: 'its daemon died' }] },
  ]);
  await database.ping();
  await database.close();
});

test('a transaction that fails leaves nothing behind, and the next one works', async () => {
  const database = await open(at('atomic.sqlite'));
  const broken = new StoredDeclaration('a/b:1@c', 'a/b', 'not JSON');
  const request = {
    tenantId: randomUUID(),
    pluginId: 'a/b',
    uniqueIdentifier: 'a/b:1@c',
    installType: 'local',
    source: '',
    meta: {},
  } as const;
  await expect(database.lifecycle.installForTenant({ ...request, declaration: broken })).rejects.toThrow(
    'the stored declaration of a/b:1@c is not valid JSON',
  );
  expect(await database.plugins.exists('a/b:1@c')).toBe(false);
  expect(await database.installations.find(request.tenantId, 'a/b')).toBeUndefined();
  const right = new StoredDeclaration('a/b:1@c', 'a/b', '{}');
  expect(await database.lifecycle.installForTenant({ ...request, declaration: right })).toMatchObject({
    outcome: 'installed',
  });
  await database.close();
});

test('transactions and single statements of many callers do not mix', async () => {
  const { kysely } = await openSqlite({ file: ':memory:' });
  await sql`create table n (id integer primary key, value integer not null)`.execute(kysely);
  await sql`insert into n values (1, 0)`.execute(kysely);
  const read = async (db: typeof kysely) => {
    const { rows } = await sql<{ value: number }>`select value from n where id = 1`.execute(db);
    return rows[0]?.value ?? -1;
  };
  const seen: number[] = [];
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      await kysely.transaction().execute(async (tx) => {
        const value = await read(tx);
        await sql`update n set value = -1 where id = 1`.execute(tx);
        await sql`update n set value = ${value + 1} where id = 1`.execute(tx);
      });
      seen.push(await read(kysely));
    }),
  );
  expect(await read(kysely)).toBe(50);
  expect(seen).not.toContain(-1);
  await kysely.destroy();
});

test('what cannot be stored is refused instead of stored as something else', async () => {
  const { kysely } = await openSqlite({ file: ':memory:' });
  for (const value of [new Date(Number.NaN), {}, Symbol('x')]) {
    await expect(sql`select ${value}`.execute(kysely)).rejects.toThrow(/cannot be stored/);
  }
  expect((await sql`select ${true} as t, ${null} as n`.execute(kysely)).rows).toEqual([
    expect.objectContaining({ t: 1, n: null }),
  ]);
  await kysely.destroy();
});

test('a file that is no database, and a damaged one, are explained and left alone', async () => {
  const text = at('text.sqlite');
  writeFileSync(text, 'this is a text, and quite a long one at that. '.repeat(100));
  expect(await thrownBy(open(text))).toMatchObject({ failure: 'corrupt', remedy: expect.stringContaining('backup') });
  expect(readFileSync(text, 'utf8')).toMatch(/^this is a text/);

  const damaged = at('damaged.sqlite');
  const database = await open(damaged);
  for (let i = 0; i < 200; i++)
    await database.declarations.insertIfAbsent(`p${i}`, 'p', JSON.stringify('x'.repeat(2000)));
  await database.close();
  const bytes = readFileSync(damaged);
  bytes.fill(0xab, 8192, bytes.length - 4096);
  writeFileSync(damaged, bytes);
  const error = await thrownBy(open(damaged));
  expect(error).toBeInstanceOf(DatabaseError);
  expect(error).toMatchObject({ failure: 'corrupt', message: expect.stringContaining(damaged) });
});

test('a place where no file can be is explained', async () => {
  expect(await thrownBy(open(join(root, 'no', 'such', 'directory.sqlite')))).toMatchObject({
    failure: 'unreachable',
    remedy: expect.stringContaining('read and write'),
  });
  mkdirSync(at('directory'));
  expect(await thrownBy(open(at('directory')))).toBeInstanceOf(DatabaseError);
});

test('a lock that another program holds is an error with a remedy, and passes', async () => {
  const file = at('locked.sqlite');
  const database = await open(file);
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  expect(await thrownBy(database.tenantStorages.reserve('t', 'p', 1, 2))).toMatchObject({ failure: 'busy' });
  other.exec('rollback');
  other.close();
  expect(await database.tenantStorages.reserve('t', 'p', 1, 2)).toEqual({ ok: true, size: 1 });
  await database.close();
});

test('a full disk fails the write that met it and nothing else', async ({ skip }) => {
  const directory = at('full');
  mkdirSync(directory);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', directory], { stdio: 'ignore' });
  } catch {
    console.log('skipped: this user may not mount a file system');
    skip();
  }
  try {
    const database = await open(join(directory, 'daemon.sqlite'));
    await database.declarations.insertIfAbsent('small', 'p', '{}');
    const failure = await thrownBy(
      database.declarations.insertIfAbsent('large', 'p', JSON.stringify('x'.repeat(4_000_000))),
    );
    expect(failure).toMatchObject({ failure: 'full', remedy: expect.stringContaining('free space') });
    const task = thrownBy(
      database.installTasks.create({
        tenantId: 't',
        plugins: [{ ...item('a'), icon: 'x'.repeat(4_000_000) }],
        lease: { owner: 'o', durationMs: 1 },
      }),
    );
    expect(await task).toMatchObject({ failure: 'full' });
    expect((await database.declarations.find('small'))?.json).toBe('{}');
    expect(await database.declarations.find('large')).toBeUndefined();
    await database.tenantStorages.reserve('t', 'p', 1, 2);
    await database.close();
  } finally {
    execFileSync('umount', ['-l', directory]);
  }
});

test('two migrations at once end in one schema', async () => {
  const dialect = await openSqlite({ file: at('twice.sqlite') });
  await Promise.all([migrate(dialect), migrate(dialect)]);
  await dialect.kysely.destroy();
});

test('workers that write at the same time wait for each other, and nothing of what they wrote is lost', async () => {
  const file = at('writers.sqlite');
  const database = await openDatabase({ type: 'sqlite', file, shared: 'first' });
  const module = fileURLToPath(new URL('../index.ts', import.meta.url));
  const program = `import { openDatabase } from ${JSON.stringify(module)};
    const database = await openDatabase({ type: 'sqlite', file: process.argv[1], shared: 'further' });
    for (let i = 0; i < 300; i++) {
      const { ok } = await database.tenantStorages.reserve('t', 'p', 1, 1e9);
      if (!ok) throw new Error('refused');
      await database.declarations.insertIfAbsent(process.argv[2] + i, 'p', '{}');
    }
    await database.close();`;
  const writers = ['a', 'b', 'c'].map((name) =>
    spawn(process.execPath, ['--input-type=module', '-e', program, file, name], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const codes = await Promise.all(writers.map((writer) => once(writer, 'exit')));
  expect(codes.map(([code]) => code)).toEqual([0, 0, 0]);
  expect(await database.tenantStorages.size('t', 'p')).toBe(900);
  await database.close();
});

test('a writer that waits for another process holds nothing else up', async () => {
  const file = at('waiting.sqlite');
  const database = await openDatabase({ type: 'sqlite', file, shared: 'first' });
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  const order: string[] = [];
  const writing = database.tenantStorages.reserve('t', 'p', 1, 2).then(() => order.push('written'));
  // The event loop goes round while it waits.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  order.push('turned');
  other.exec('commit');
  other.close();
  await writing;
  expect(order).toEqual(['turned', 'written']);
  await database.close();
});

test('what a node holds that is known to be gone is free at once, and nothing of others', async () => {
  const database = await openDatabase({ type: 'sqlite', file: at('gone.sqlite'), shared: 'first' });
  const durationMs = 3_600_000;
  const nodes = [randomUUID(), randomUUID()];
  const tasks = [];
  for (const owner of nodes) {
    tasks.push(
      await database.installTasks.create({ tenantId: 't', plugins: [item(owner)], lease: { owner, durationMs } }),
    );
    await database.jobLeases.take(`job of ${owner}`, { owner: `${owner}/attempt`, durationMs });
  }
  await database.endLeasesOf(nodes[0] ?? '');
  const next = { owner: 'next', durationMs };
  expect(await database.jobLeases.take(`job of ${nodes[0]}`, next)).toBeDefined();
  expect(await database.jobLeases.take(`job of ${nodes[1]}`, next)).toBeUndefined();
  expect((await database.installTasks.failOrphans('its node died')).map(({ id }) => id)).toEqual([tasks[0]?.id]);
  await database.close();
});
