import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { executable } from '../executables.ts';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';
import { asServer, giveTo } from '../server-user.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { tlsFor } from '../tls.ts';

const user = 'postgres';

/**
 * PostgreSQL with TLS on offer; user `app` with password `secret`, and `certified`, who needs a client certificate. A user `limited` is
 * let in, once a test has made it.
 */
export async function startPostgresql({ directory, tls }: ServiceContext): Promise<RunningService> {
  const [data, password] = [join(directory, 'data'), join(directory, 'password')];
  writeFileSync(password, 'secret');
  mkdirSync(data);
  const files = tlsFor(user, tls, directory);
  giveTo(user, directory);
  const run = (...command: string[]): void => {
    const [program, ...args] = asServer(user, command);
    execFileSync(program, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  run(
    executable('initdb'),
    ...['-D', data, '-U', 'app', '--auth-host=scram-sha-256', '--auth-local=trust', '-N', '--no-instructions'],
    ...['--encoding=UTF8', `--pwfile=${password}`],
  );
  const port = await reservePort();
  writeFileSync(
    join(data, 'pg_hba.conf'),
    `hostssl all certified 127.0.0.1/32 cert
host all app,limited 127.0.0.1/32 scram-sha-256
`,
  );
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ssl: 'on',
    ssl_ca_file: files.ca,
    ssl_cert_file: files.serverCert,
    ssl_key_file: files.serverKey,
    // The data are thrown away; what survives the death of the process is not touched by this.
    fsync: 'off',
    full_page_writes: 'off',
    shared_buffers: '32MB',
    // Nothing here may depend on the zone of the server, and names of dates in its log are of no use.
    timezone: 'Asia/Kolkata',
    log_timezone: 'UTC',
  };
  const server = new ServerProcess({
    name: 'postgresql',
    command: asServer(user, [
      executable('postgres'),
      '-D',
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]),
    logFile: join(directory, 'log'),
    ask: () => withClient(port, (client) => client.query('select 1')),
    // "Fast shutdown": clients are cut off.
    stopSignal: 'SIGINT',
  });
  await server.start();
  await withClient(port, (client) => client.query('create role certified login createdb'));
  return {
    processes: [server],
    port,
    environment: {
      TEST_POSTGRESQL_URL: `postgresql://app:secret@127.0.0.1:${port}/postgres`,
      TEST_TLS_DIRECTORY: tls.directory,
    },
  };
}

async function withClient(port: number, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'app',
    password: 'secret',
    database: 'postgres',
    connectionTimeoutMillis: 2000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
