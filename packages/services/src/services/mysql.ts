import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { executable } from '../executables.ts';
import { freePort, ServerProcess } from '../server-process.ts';
import type { RunningService, ServiceContext } from '../service.ts';

/** MariaDB's server bears the name, too. */
export const MYSQL_SERVER = 'mysqld8';

/** MySQL with TLS on offer; user `app` with password `secret` by MySQL's own way of authentication, and `certified`, who needs a client certificate. */
export async function startMysql({ directory, tls }: ServiceContext): Promise<RunningService> {
  const [data, socket] = [join(directory, 'data'), join(directory, 'socket')];
  mkdirSync(data);
  const program = realpathSync(executable(MYSQL_SERVER));
  const common = [
    '--no-defaults',
    `--basedir=${dirname(dirname(program))}`,
    `--datadir=${data}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
  execFileSync(program, [...common, '--initialize-insecure'], { cwd: directory, stdio: 'ignore' });
  const port = await freePort();
  const url = `mysql://app:secret@127.0.0.1:${port}/mysql`;
  let ask = async (): Promise<void> => {
    await using connection = await createConnection({ socketPath: socket, user: 'root' });
    await setUp(connection);
  };
  const server = new ServerProcess({
    name: 'mysql',
    command: [
      program,
      ...common,
      `--socket=${socket}`,
      `--pid-file=${join(directory, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--mysqlx=OFF',
      '--skip-name-resolve',
      `--ssl-ca=${tls.ca}`,
      `--ssl-cert=${tls.rsaCert}`,
      `--ssl-key=${tls.rsaKey}`,
      '--innodb-buffer-pool-size=32M',
      '--performance-schema=OFF',
      // Nothing here may depend on the zone of the server.
      '--default-time-zone=+05:30',
      '--max-connections=200',
    ],
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
  return { processes: [server], port, environment: { TEST_MYSQL_URL: url, TEST_TLS_DIRECTORY: tls.directory } };
}

async function setUp(connection: Connection): Promise<void> {
  for (const statement of [
    "create user if not exists app@'%' identified by 'secret'",
    "grant all on *.* to app@'%'",
    "create user if not exists certified@'%' require x509",
    "grant all on *.* to certified@'%'",
  ]) {
    await connection.query(statement);
  }
}
