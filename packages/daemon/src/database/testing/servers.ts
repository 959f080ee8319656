/** Databases on the servers that were started for this test run. For tests only. */
import { randomBytes } from 'node:crypto';
import { provided, type ServiceName, skipReason } from '@plugin-daemon/services';
import { afterAll } from 'vitest';
import type { DatabaseOptions } from '../open.ts';

export type TestServer = Extract<ServiceName, 'postgresql' | 'pgbouncer' | 'mariadb'>;
export const testServers: readonly TestServer[] = ['postgresql', 'pgbouncer', 'mariadb'];

export type ServerDatabase = Exclude<DatabaseOptions, { type: 'sqlite' }>;

/** What reaches a database of the server at the URL, as the settings would say it with few connections. */
export function at(server: TestServer, url: string, database: string): ServerDatabase {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    type: server === 'mariadb' ? 'mysql' : 'postgresql',
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
  await withoutDatabase(options, async (query) => {
    const force = options.type === 'postgresql' ? ' with (force)' : '';
    await query(`drop database if exists ${options.database}${force}`);
  });
}

/** Runs statements on the server, outside of the database. */
export async function withoutDatabase(
  options: ServerDatabase,
  work: (query: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const { host, port, user, password, defaultDatabase: database } = options;
  if (options.type === 'postgresql') {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    try {
      await work((text) => client.query(text));
    } finally {
      await client.end();
    }
    return;
  }
  const { createConnection } = await import('mysql2/promise');
  await using connection = await createConnection({ host, port, user, password, database });
  await work((text) => connection.query(text));
}
