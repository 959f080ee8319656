/** What the daemons of a run keep their state in: SQLite, unless the environment or an option names something else. */
import { randomBytes } from 'node:crypto';
import { provided, type ServiceName, skipReason } from '@plugin-daemon/services';

type Settings = Readonly<Record<string, string>>;

/** The names a run hands on from its environment; a `.env` file is not read. */
const HANDED_ON = /^(DB|REDIS|S3|AWS)_|^PLUGIN_STORAGE_(TYPE|OSS_BUCKET)$/;

const KINDS = { postgresql: 'postgresql', pgbouncer: 'pgbouncer', mariadb: 'mysql', mysql: 'mysql' } as const;
const isKind = (name: string): name is keyof typeof KINDS & ServiceName => name in KINDS;

/**
 * Settings for one daemon of a run. Each call names a database (and a prefix of Redis) that nobody uses yet; the daemon creates it,
 * and it is left where it is.
 * @param server a server that `npm run services` started; without it the environment decides
 * @throws Error when the server is not known, or was not started
 */
export function backendSettings(server: string | undefined): Settings {
  const run = randomBytes(4).toString('hex');
  const settings = { ...fromEnvironment(), ...(server !== undefined && fromService(server)) };
  return {
    ...settings,
    ...(settings.DB_DATABASE !== undefined && { DB_DATABASE: `${settings.DB_DATABASE}_${run}` }),
    ...(settings.REDIS_HOST !== undefined && {
      REDIS_KEY_PREFIX: `${settings.REDIS_KEY_PREFIX ?? 'plugin_daemon'}_${run}`,
    }),
  };
}

function fromEnvironment(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name, value]) => HANDED_ON.test(name) && value !== undefined);
  return Object.fromEntries(found.map(([name, value]) => [name, value ?? '']));
}

function fromService(server: string): Record<string, string> {
  if (!isKind(server)) throw new Error(`unknown server ${server}: choose one of ${Object.keys(KINDS).join(', ')}`);
  const url = provided(server);
  if (url === undefined) throw new Error(skipReason(server));
  const { hostname, port, username, password } = new URL(url);
  return {
    DB_TYPE: KINDS[server],
    DB_HOST: hostname,
    DB_PORT: port,
    DB_USERNAME: username,
    DB_PASSWORD: password,
    DB_DATABASE: 'conformance',
  };
}

/** Redis for nodes that share a database server, if one was started; the environment may name another. */
export function sharedCache(server: string | undefined): Settings {
  const url = server === undefined || process.env.REDIS_HOST !== undefined ? undefined : provided('redis');
  if (url === undefined) return {};
  const { hostname, port, username, password } = new URL(url);
  return {
    REDIS_HOST: hostname,
    REDIS_PORT: port,
    ...(username !== '' && { REDIS_USERNAME: decodeURIComponent(username) }),
    ...(password !== '' && { REDIS_PASSWORD: decodeURIComponent(password) }),
    REDIS_KEY_PREFIX: `conformance_${randomBytes(4).toString('hex')}`,
  };
}
