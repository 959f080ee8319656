import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provided, requirement, skipReason } from '@plugin-daemon/services';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SqlDialect } from '../dialect.ts';
import { openDatabase } from '../index.ts';
import { migrate } from '../migrate.ts';
import { openDialect } from '../open.ts';
import type { Tables } from '../schema.ts';
import { at, connectRaw, freshDatabase, testServers } from '../testing/servers.ts';

describe.each(testServers)('a connection to %s that breaks', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  const options = freshDatabase(server);
  // Past PgBouncer, which would give the one who cuts the very connection that is to be cut.
  const direct = server === 'pgbouncer' ? at('postgresql', requirement('postgresql'), options.database) : options;
  let dialect: SqlDialect;
  beforeAll(async () => {
    dialect = await openDialect(options);
    await migrate(dialect);
  });
  afterAll(() => dialect.kysely.destroy());

  const insert = async (kysely: Kysely<Tables>, owner: string) => {
    const time = new Date();
    const row = { id: randomUUID(), created_at: time, updated_at: time, owner, deadline: 0 };
    await kysely.insertInto('debugging_leases').values(row).execute();
  };
  const kept = async (owner: string) =>
    (await dialect.kysely.selectFrom('debugging_leases').select('id').where('owner', '=', owner).execute()).length;
  const mysql = options.type === 'mysql';
  const ownId = async (kysely: Kysely<Tables>) => {
    const { rows } = await sql<{
      id: number;
    }>`select ${sql.raw(mysql ? 'connection_id()' : 'pg_backend_pid()')} as id`.execute(kysely);
    return rows[0]?.id ?? 0;
  };
  const cut = async (id: number) => {
    await using raw = await connectRaw(direct);
    await raw.query(mysql ? `kill ${id}` : `select pg_terminate_backend(${id})`);
  };

  test('in the middle of a transaction: it is begun anew, and done once', async () => {
    let runs = 0;
    await dialect.transaction(async (tx) => {
      runs++;
      await insert(tx, 'middle');
      if (runs === 1) await cut(await ownId(tx));
      await insert(tx, 'middle');
    });
    expect(runs).toBe(2);
    expect(await kept('middle')).toBe(2);
  });

  test('before the commit is answered: the caller hears that the outcome is not known, and nothing is repeated', async () => {
    let runs = 0;
    const failing = dialect.transaction(async (tx) => {
      runs++;
      await insert(tx, 'commit');
      await cut(await ownId(tx));
    });
    await expect(failing).rejects.toMatchObject({
      failure: 'uncertain',
      remedy: expect.stringContaining('look before'),
    });
    expect(runs).toBe(1);
    expect(await kept('commit')).toBe(0);
  });

  test('while nobody uses it, or while it reads: the reader does not notice', async () => {
    for (let round = 0; round < 5; round++) {
      await cut(await ownId(dialect.kysely));
      expect(await kept('nobody')).toBe(0);
    }
    const slow = sql.raw(mysql ? 'sleep(0.5)' : 'pg_sleep(0.5)');
    const reading = dialect.kysely
      .selectFrom('debugging_leases')
      .select(({ fn }) => fn.countAll<number>().as('n'))
      .where(sql<boolean>`(select ${slow}) is not null`)
      .execute();
    await using raw = await connectRaw(direct);
    await expect
      .poll(async () => {
        const [row] = await raw.query(
          mysql
            ? "select id from information_schema.processlist where info like '%sleep(0.5)%' and id <> connection_id()"
            : "select pid as id from pg_stat_activity where query like '%pg_sleep(0.5)%' and pid <> pg_backend_pid() and state = 'active'",
        );
        return row?.id;
      })
      .toBeDefined();
    const [row] = await raw.query(
      mysql
        ? "select id from information_schema.processlist where info like '%sleep(0.5)%' and id <> connection_id()"
        : "select pid as id from pg_stat_activity where query like '%pg_sleep(0.5)%' and pid <> pg_backend_pid() and state = 'active'",
    );
    if (row !== undefined) await cut(Number(row.id));
    expect(await reading).toHaveLength(1);
  });
});

describe('a PostgreSQL whose disk is full', () => {
  if (provided('postgresql') === undefined) {
    test.skip(skipReason('postgresql'), () => undefined);
    return;
  }
  const options = freshDatabase('postgresql');
  let mounted: string | undefined;
  afterAll(async () => {
    if (mounted === undefined) return;
    await using raw = await connectRaw(options, options.defaultDatabase);
    await raw.query(`drop database if exists ${options.database} with (force)`);
    await raw.query('drop tablespace small');
    // Its background processes may still hold files of it.
    execFileSync('umount', ['--lazy', mounted]);
    rmSync(mounted, { recursive: true });
  });

  test('fails the write that met it, loses nothing it has acknowledged, and goes on when there is room', async ({
    skip,
  }) => {
    const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0755', 'none', directory], { stdio: 'ignore' });
    } catch {
      rmSync(directory, { recursive: true });
      skip('this user may not mount a file system');
      return;
    }
    mounted = directory;
    mkdirSync(join(directory, 'data'));
    execFileSync('chown', ['postgres:', join(directory, 'data')]);
    {
      await using raw = await connectRaw(options, options.defaultDatabase);
      await raw.query(`create tablespace small location '${join(directory, 'data')}'`);
      await raw.query(`create database ${options.database} tablespace small`);
    }
    const database = await openDatabase(options);
    await database.declarations.insertIfAbsent('small', 'p', '{"kept":true}');
    const incompressible = () => JSON.stringify(Array.from({ length: 30_000 }, () => randomUUID()));
    const written: string[] = [];
    const failing = async () => {
      for (let i = 0; i < 100; i++) {
        await database.declarations.insertIfAbsent(`large${i}`, 'p', incompressible());
        written.push(`large${i}`);
      }
    };
    await expect(failing()).rejects.toMatchObject({ failure: 'full', remedy: expect.stringContaining('make room') });
    expect(written.length).toBeGreaterThan(0);
    execFileSync('mount', ['-o', 'remount,size=64m', directory]);
    expect(await database.declarations.insertIfAbsent('after', 'p', incompressible())).toBe(true);
    // Read anew: what was acknowledged is there, what was refused is not.
    const reader = await openDatabase(options);
    expect((await reader.declarations.find('small'))?.value).toEqual({ kept: true });
    for (const name of [...written, 'after']) expect(await reader.declarations.find(name)).toBeDefined();
    expect(await reader.declarations.find(`large${written.length}`)).toBeUndefined();
    await reader.close();
    await database.close();
  });
});
