import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { executable } from '../executables.ts';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';
import { asServer } from '../server-user.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { tlsFor } from '../tls.ts';

const user = 'postgres';

/** PgBouncer before the PostgreSQL, in transaction mode and with so few connections that clients share them. */
export async function startPgbouncer({ directory, running, tls }: ServiceContext): Promise<RunningService> {
  const postgresql = running.get('postgresql');
  if (postgresql === undefined) throw new Error('PgBouncer needs a PostgreSQL');
  const port = await reservePort();
  writeFileSync(join(directory, 'users'), '"app" "secret"\n');
  writeFileSync(
    join(directory, 'pgbouncer.ini'),
    `[databases]
* = host=127.0.0.1 port=${postgresql.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
auth_type = scram-sha-256
auth_file = ${join(directory, 'users')}
client_tls_sslmode = allow
client_tls_key_file = ${join(directory, 'server.key')}
client_tls_cert_file = ${join(directory, 'server.crt')}
server_tls_sslmode = verify-full
server_tls_ca_file = ${join(directory, 'ca.crt')}
server_login_retry = 1
`,
  );
  tlsFor(user, tls, directory);
  const url = `postgresql://app:secret@127.0.0.1:${port}/postgres`;
  const server = new ServerProcess({
    name: 'pgbouncer',
    command: asServer(user, [executable('pgbouncer'), '-q', join(directory, 'pgbouncer.ini')]),
    logFile: join(directory, 'log'),
    ask: () => ask(url),
    stopSignal: 'SIGTERM',
  });
  await server.start();
  return { processes: [server], port, environment: { TEST_PGBOUNCER_URL: url } };
}

async function ask(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}
