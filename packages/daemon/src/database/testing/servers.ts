/** Databases on the servers that were started for this test run. For tests only. */
import { randomBytes } from 'node:crypto';
import { provided, type ServiceName, skipReason } from '@plugin-daemon/services';
import type { CustomTypesConfig } from 'pg';
import { afterAll } from 'vitest';
import type { DatabaseOptions } from '../open.ts';

export type TestServer = Extract<ServiceName, 'postgresql' | 'pgbouncer' | 'mariadb' | 'mysql'>;
export const testServers: readonly TestServer[] = ['postgresql', 'pgbouncer', 'mariadb', 'mysql'];

export type ServerDatabase = Exclude<DatabaseOptions, { type: 'sqlite' }>;

/** What reaches a database of the server at the URL, as the settings would say it with few connections. */
export function at(server: TestServer, url: string, database: string): ServerDatabase {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    type: server === 'mariadb' || server === 'mysql' ? 'mysql' : 'postgresql',
    host: hostname,
    port: Number(port),
    user: username,
    password,
    database,
    defaultDatabase: pathname.slice(1),
    tls: { mode: 'disable' },
    pool: { maxOpen: 10, maxIdle: 5, maxLifetimeSeconds: 3600 },
    timeouts: { connectMs: 5000, readMs: 30_000, writeMs: 30_000 },
  };
}

/** A database of its own on a provided server, made by whoever opens it and dropped at the end of the test file. */
export function freshDatabase(server: TestServer): ServerDatabase {
  const url = provided(server);
  if (url === undefined) throw new Error(skipReason(server));
  const options = at(server, url, `test_${randomBytes(6).toString('hex')}`);
  afterAll(() => drop(options));
  return options;
}

async function drop(options: ServerDatabase): Promise<void> {
  await using server = await connectRaw(options, options.defaultDatabase);
  const force = options.type === 'postgresql' ? ' with (force)' : '';
  await server.query(`drop database if exists ${options.database}${force}`);
}

/** A connection without the daemon's code in between. */
export interface RawConnection extends AsyncDisposable {
  /** Rows as the server writes them: text, numbers, null. */
  query(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export async function connectRaw(options: ServerDatabase, database = options.database): Promise<RawConnection> {
  const { host, port, user, password } = options;
  if (options.type === 'postgresql') {
    const { default: pg } = await import('pg');
    const types = { getTypeParser: () => (text: string) => text };
    const client = new pg.Client({ host, port, user, password, database, types: types as CustomTypesConfig });
    await client.connect();
    return {
      query: async (text) => (await client.query(text)).rows,
      [Symbol.asyncDispose]: () => client.end(),
    };
  }
  const { createConnection } = await import('mysql2/promise');
  const connection = await createConnection({
    host,
    port,
    user,
    password,
    database,
    typeCast: (field) => field.string(),
  });
  return {
    query: async (text) => {
      const [rows] = await connection.query(text);
      return Array.isArray(rows) ? rows.map((row) => ({ ...row })) : [];
    },
    [Symbol.asyncDispose]: () => connection.end(),
  };
}

/** The database itself, empty. */
export async function createEmpty(options: ServerDatabase, characters = ''): Promise<void> {
  await using server = await connectRaw(options, options.defaultDatabase);
  await server.query(`create database ${options.database} ${characters}`);
}
