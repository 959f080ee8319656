import type { DatabaseOptions } from '../open.ts';
import type { TlsMode } from '../servers/index.ts';

const modes: ReadonlySet<string> = new Set<TlsMode>(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']);

const kinds: Readonly<Record<string, 'postgresql' | 'mysql'>> = {
  'postgresql:': 'postgresql',
  'postgres:': 'postgresql',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
};

/**
 * `sqlite:PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…&sslrootcert=…&sslcert=…&sslkey=…&options=…`, or the
 * same with `mysql:`.
 * @throws Error that says what is wrong, without the password
 */
export function parsePlace(text: string): DatabaseOptions {
  if (text.startsWith('sqlite:'))
    return { type: 'sqlite', file: text.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '') };
  const url = URL.parse(text);
  const type = url === null ? undefined : kinds[url.protocol];
  if (url === null || type === undefined)
    throw new Error('a database is named by sqlite:PATH, postgresql://USER:PASSWORD@HOST/DATABASE or mysql://…');
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.hostname === '' || database === '') throw new Error(`the ${type} URL names no host, or no database`);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const mode = parameter('sslmode') ?? 'disable';
  if (!modes.has(mode)) throw new Error(`sslmode=${mode} is unknown: choose one of ${[...modes].join(', ')}`);
  const [root, certificate, key, options] = ['sslrootcert', 'sslcert', 'sslkey', 'options'].map(parameter);
  return {
    type,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (type === 'mysql' ? 3306 : 5432) : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    defaultDatabase: 'postgres',
    tls: {
      // The set above holds exactly the words of the type.
      mode: mode as TlsMode,
      ...(root !== undefined && { rootCertificate: root }),
      ...(certificate !== undefined && { certificate }),
      ...(key !== undefined && { key }),
    },
    pool: { maxOpen: 4, maxIdle: 4, maxLifetimeSeconds: 0 },
    timeouts: { connectMs: 10_000, readMs: 300_000, writeMs: 300_000 },
    ...(options !== undefined && { options }),
  };
}
