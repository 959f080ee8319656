import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { executable } from '../executables.ts';
import { freePort, ServerProcess } from '../server-process.ts';
import { asServer, giveTo } from '../server-user.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { tlsFor } from '../tls.ts';

const user = 'mysql';

/** MariaDB with TLS on offer; user `app` with password `secret`, and `certified`, who needs a client certificate. */
export async function startMariadb({ directory, tls }: ServiceContext): Promise<RunningService> {
  const [data, socket] = [join(directory, 'data'), join(directory, 'socket')];
  mkdirSync(data);
  const files = tlsFor(user, tls, directory);
  giveTo(user, directory);
  const [program, ...args] = asServer(user, [
    executable('mariadb-install-db'),
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
  ]);
  execFileSync(program, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  const port = await freePort();
  const url = `mysql://app:secret@127.0.0.1:${port}/mysql`;
  let ask = async (): Promise<void> => {
    await using connection = await createConnection({ socketPath: socket, user: 'root' });
    await setUp(connection);
  };
  const server = new ServerProcess({
    name: 'mariadb',
    command: asServer(user, [
      executable('mariadbd'),
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--pid-file=${join(directory, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      `--ssl-ca=${files.ca}`,
      `--ssl-cert=${files.serverCert}`,
      `--ssl-key=${files.serverKey}`,
      '--innodb-buffer-pool-size=32M',
      '--performance-schema=OFF',
      // Nothing here may depend on the zone of the server.
      '--default-time-zone=+05:30',
      '--max-connections=200',
    ]),
    logFile: join(directory, 'log'),
    ask: () => ask(),
    stopSignal: 'SIGTERM',
  });
  await server.start();
  ask = async () => {
    await using connection = await createConnection({ uri: url, connectTimeout: 2000 });
    await connection.query('select 1');
  };
  await server.answers();
  return { processes: [server], port, environment: { TEST_MARIADB_URL: url, TEST_TLS_DIRECTORY: tls.directory } };
}

async function setUp(connection: Connection): Promise<void> {
  for (const statement of [
    "create or replace user app@'%' identified by 'secret'",
    "grant all on *.* to app@'%'",
    "create or replace user certified@'%' require x509",
    "grant all on *.* to certified@'%'",
  ]) {
    await connection.query(statement);
  }
}
