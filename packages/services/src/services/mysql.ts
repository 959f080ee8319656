import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { executable } from '../executables.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { rsaServer } from '../tls.ts';
import { startMysqlServer } from './mysql-family.ts';

/** MariaDB's server bears the name, too. */
export const MYSQL_SERVER = 'mysqld8';

/** MySQL, with its own way of authentication. */
export async function startMysql({ directory, tls }: ServiceContext): Promise<RunningService> {
  const data = join(directory, 'data');
  mkdirSync(data);
  const program = realpathSync(executable(MYSQL_SERVER));
  const common = [
    '--no-defaults',
    `--basedir=${dirname(dirname(program))}`,
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
  ];
  execFileSync(program, [...common, `--datadir=${data}`, '--initialize-insecure'], { cwd: directory, stdio: 'ignore' });
  return await startMysqlServer({
    name: 'mysql',
    directory,
    command: (options) => [program, ...common, ...options, '--mysqlx=OFF'],
    tls,
    // The first years of MySQL 8 came with a TLS library that takes no other.
    certificate: { ca: tls.ca, ...rsaServer(tls) },
    createUser: 'create user if not exists',
    variable: 'TEST_MYSQL_URL',
  });
}
