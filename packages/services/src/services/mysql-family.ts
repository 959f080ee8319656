import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';
import type { RunningService } from '../service.ts';
import type { TlsFiles } from '../tls.ts';

export interface MysqlServerOptions {
  readonly name: string;
  /** Its own, with an initialised `data` in it. */
  readonly directory: string;
  /** The server's command with these options after its first ones. */
  readonly command: (options: readonly string[]) => readonly [string, ...string[]];
  readonly tls: Pick<TlsFiles, 'directory'>;
  /** What it shows of itself. */
  readonly certificate: { readonly ca: string; readonly cert: string; readonly key: string };
  /** How it makes a user unless there is one. */
  readonly createUser: string;
  /** That tests find it by. */
  readonly variable: string;
}

/** MySQL or MariaDB with TLS on offer; user `app` with password `secret`, and `certified`, who needs a client certificate. */
export async function startMysqlServer(options: MysqlServerOptions): Promise<RunningService> {
  const { name, directory, command, tls, certificate, createUser, variable } = options;
  const socket = join(directory, 'socket');
  const port = await reservePort();
  const url = `mysql://app:secret@127.0.0.1:${port}/mysql`;
  let ask = async (): Promise<void> => {
    await using connection = await createConnection({ socketPath: socket, user: 'root' });
    await setUp(connection, createUser);
  };
  const server = new ServerProcess({
    name,
    command: command([
      `--datadir=${join(directory, 'data')}`,
      `--socket=${socket}`,
      `--pid-file=${join(directory, 'pid')}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--skip-name-resolve',
      `--ssl-ca=${certificate.ca}`,
      `--ssl-cert=${certificate.cert}`,
      `--ssl-key=${certificate.key}`,
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
  return { processes: [server], port, environment: { [variable]: url, TEST_TLS_DIRECTORY: tls.directory } };
}

async function setUp(connection: Connection, createUser: string): Promise<void> {
  for (const statement of [
    `${createUser} app@'%' identified by 'secret'`,
    "grant all on *.* to app@'%' with grant option",
    `${createUser} certified@'%' require x509`,
    "grant all on *.* to certified@'%'",
  ]) {
    await connection.query(statement);
  }
}
