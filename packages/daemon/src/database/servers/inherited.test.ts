/** What databases that others have set up hold and forbid: times, defaults, styles, rights. */
import { provided, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../index.ts';
import { connectRaw, createEmpty, freshDatabase, type RawConnection } from '../testing/servers.ts';
import { HOOK, insertStatements, TENANT } from '../testing/upstream-rows.ts';
import { upstreamStatements } from '../testing/upstream-schema.ts';

const never = '0001-01-01T00:00:00Z';

describe.each(['postgresql', 'mariadb', 'mysql'] as const)('an inherited database, on %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  const options = freshDatabase(server);
  const isPostgresql = options.type === 'postgresql';
  let raw: RawConnection;
  beforeAll(async () => {
    await createEmpty(options);
    raw = await connectRaw(options);
    for (const text of [...upstreamStatements(options.type), ...insertStatements(options.type)]) await raw.query(text);
  });
  afterAll(() => raw[Symbol.asyncDispose]());

  /** The time as a new connection reads it. */
  async function read(time: string): Promise<string | undefined> {
    await raw.query(`update endpoints set expired_at = ${time}, created_at = ${time} where hook_id = '${HOOK}'`);
    const database = await openDatabase(options);
    try {
      const endpoint = await database.endpoints.findByHookId(HOOK);
      // A row is written to whatever its times are.
      await database.lifecycle.setEndpointEnabled(TENANT, endpoint?.id ?? '', true);
      expect(endpoint?.created_at).toBe(endpoint?.expired_at);
      return endpoint?.expired_at;
    } finally {
      await database.close();
    }
  }

  if (isPostgresql) {
    test.each(['UTC', 'Asia/Shanghai', 'America/New_York', 'Asia/Kolkata'])(
      'has times in the zone %s',
      async (zone) => {
        await raw.query(`alter database ${options.database} set timezone = '${zone}'`);
        expect(await read("'2039-05-06 07:08:09.123456+00'")).toBe('2039-05-06T07:08:09.123Z');
        expect(await read("'1969-12-31 23:59:59.999+00'")).toBe('1969-12-31T23:59:59.999Z');
        expect(await read("'1850-05-06 07:08:09+00'")).toBe('1850-05-06T07:08:09.000Z');
        expect(await read("'infinity'")).toBe(never);
        expect(await read("'12026-01-01 00:00:00+00'")).toBe(never);
        expect(await read("'0044-03-15 00:00:00+00 BC'")).toBe(never);
        await raw.query(`alter database ${options.database} reset timezone`);
      },
    );

    test.each(['German', 'SQL, DMY', 'Postgres, MDY'])('writes times in the style %s', async (style) => {
      await raw.query(`alter database ${options.database} set datestyle = '${style}'`);
      expect(await read("'2026-03-04 05:06:07.5+00'")).toBe('2026-03-04T05:06:07.500Z');
      await raw.query(`alter database ${options.database} reset datestyle`);
    });

    test('has a search path that leads nowhere', async () => {
      await expect(openDatabase({ ...options, options: '-c search_path=nowhere' })).rejects.toMatchObject({
        failure: 'denied',
        message: expect.stringContaining('no schema in which this user may create tables'),
        remedy: expect.stringContaining('search_path'),
      });
    });
  } else {
    test('has zero dates, in rows and as defaults, and is changed all the same', async () => {
      await raw.query("set session sql_mode = ''");
      for (const time of ["'0000-00-00 00:00:00'", "'2024-00-10 00:00:00'", 'null'])
        expect(await read(time)).toBe(never);
      expect(await read("'1969-12-31 23:59:59.999'")).toBe('1969-12-31T23:59:59.999Z');
      expect(await read("'9999-12-31 23:59:59.999'")).toBe('9999-12-31T23:59:59.999Z');
      await raw.query("alter table plugins modify created_at datetime(3) not null default '0000-00-00 00:00:00'");
      await raw.query("update plugins set created_at = '0000-00-00 00:00:00'");
      await raw.query('alter table plugins drop column source');
      const database = await openDatabase(options);
      expect((await database.plugins.list()).map(({ source, created_at }) => [source, created_at])).toContainEqual([
        '',
        never,
      ]);
      await database.close();
    });
  }

  test('is worked with by a user who may change no table, once it is whole; what it lacks is named', async () => {
    const { database } = options;
    // Who may use one database only is not let into the one that others are created from.
    const closed = `${database}_closed`;
    const mode = { mode: 'prefer' as const };
    const limited = { ...options, user: 'limited', password: 'p', tls: mode, defaultDatabase: closed };
    const open = async () => await (await openDatabase(limited)).close();
    const whole = async () => await (await openDatabase(options)).close();
    const rights = 'select, insert, update, delete';
    const grant = async () => {
      if (!isPostgresql) return await raw.query(`grant ${rights} on ${database}.* to limited`);
      return await raw.query(`grant ${rights} on all tables in schema public to limited`);
    };
    const lacks = (what: string) => ({
      failure: 'denied',
      message: expect.stringContaining(`the ${what} is missing and cannot be created`),
      remedy: expect.stringContaining('start the daemon once with a user who may create it'),
    });
    const forget = isPostgresql
      ? ['drop owned by limited', 'drop role limited', `drop database if exists ${closed}`]
      : ['drop user limited'];
    await raw.query(isPostgresql ? "create role limited login password 'p'" : "create user limited identified by 'p'");
    try {
      if (isPostgresql) {
        await raw.query('revoke create on schema public from public');
        await raw.query(`create database ${closed}`);
        await raw.query(`revoke connect on database ${closed} from public`);
      }
      await whole();
      await grant();
      await raw.query('drop table job_leases');
      await expect(open()).rejects.toMatchObject(lacks('table job_leases'));
      await whole();
      await grant();
      await open();
      await raw.query(`drop index idx_endpoints_user_id ${isPostgresql ? '' : 'on endpoints'}`);
      await expect(open()).rejects.toMatchObject(lacks('index idx_endpoints_user_id on endpoints'));
      await whole();
      await raw.query('alter table plugins drop column source');
      await expect(open()).rejects.toMatchObject(lacks('column source of plugins'));
      await whole();
      await open();
      await expect(openDatabase({ ...limited, database: `${database}_other` })).rejects.toMatchObject({
        remedy: expect.stringMatching(/create database|create the database/),
      });
    } finally {
      for (const text of forget) await raw.query(text);
    }
  });
});
