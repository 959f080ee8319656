import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { executable } from '../executables.ts';
import { asServer, giveTo } from '../server-user.ts';
import type { RunningService, ServiceContext } from '../service.ts';
import { tlsFor } from '../tls.ts';
import { startMysqlServer } from './mysql-family.ts';

const user = 'mysql';

export async function startMariadb({ directory, tls }: ServiceContext): Promise<RunningService> {
  const data = join(directory, 'data');
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
  return await startMysqlServer({
    name: 'mariadb',
    directory,
    command: (options) => asServer(user, [executable('mariadbd'), '--no-defaults', ...options]),
    tls,
    certificate: { ca: files.ca, cert: files.serverCert, key: files.serverKey },
    createUser: 'create or replace user',
    variable: 'TEST_MARIADB_URL',
  });
}
