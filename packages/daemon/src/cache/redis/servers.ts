import type * as Library from 'ioredis';
import type { Cluster, Redis } from 'ioredis';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisTls {
  /** PEM. Replaces the authorities of the system. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** false takes any certificate, whoever signed it. */
  readonly verify: boolean;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
}

/** Which servers, and how to be let in. */
export type RedisServers = Credentials & { readonly tls?: RedisTls } & (
    | ({ readonly mode: 'single'; readonly db: number } & Address)
    | {
        readonly mode: 'sentinel';
        readonly db: number;
        readonly sentinels: readonly Address[];
        /** The name of the master. */
        readonly service: string;
        readonly sentinelCredentials: Credentials;
        /** Longest time for connecting to a sentinel, in ms. */
        readonly sentinelConnectMs?: number;
      }
    | { readonly mode: 'cluster'; readonly nodes: readonly Address[] }
  );

export type Client = Redis | Cluster;

const CONNECT_MS = 5000;
/** A server that does not answer for this long is no use to a caller. */
const COMMAND_MS = 3000;
/** A connection on which nothing comes back for so long is given up: a black hole closes no socket, and TCP tries for minutes. */
const SILENT_MS = 5000;
/** Between two attempts to connect: soon at first, then every two seconds. */
const pauseMs = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), 2000);

/** The client for commands. It connects again by itself; a command waits for that as long as for its answer. */
export const openClient = (library: typeof Library, servers: RedisServers): Client =>
  open(library, servers, { maxRetriesPerRequest: 1, commandTimeout: COMMAND_MS, socketTimeout: SILENT_MS });

/** The same for commands that may wait for as long as they like: for the servers, or for what they ask for. */
export const openPatientClient = (library: typeof Library, servers: RedisServers): Client =>
  open(library, servers, { maxRetriesPerRequest: null });

function open(
  library: typeof Library,
  servers: RedisServers,
  waiting: {
    readonly maxRetriesPerRequest: number | null;
    readonly commandTimeout?: number;
    readonly socketTimeout?: number;
  },
): Client {
  const common = { ...options(servers), ...waiting };
  if (servers.mode === 'single') {
    return inItsDatabase(
      new library.Redis({
        ...common,
        host: servers.host,
        port: servers.port,
        db: servers.db,
        retryStrategy: pauseMs,
      }),
    );
  }
  if (servers.mode === 'sentinel') {
    return inItsDatabase(
      new library.Redis({
        ...common,
        ...sentinel(servers),
        retryStrategy: pauseMs,
        sentinelRetryStrategy: pauseMs,
      }),
    );
  }
  return new library.Cluster([...servers.nodes], {
    clusterRetryStrategy: pauseMs,
    slotsRefreshTimeout: COMMAND_MS,
    redisOptions: common,
    ...(servers.tls === undefined ? {} : { dnsLookup: (address, callback) => callback(null, address) }),
  });
}

/**
 * A server that does not let us into the database that is named leaves us in number 0, which may be somebody else's, and the library goes
 * on there. No command of ours is sent: they wait for a connection that is ready, which this one does not become.
 */
function inItsDatabase(client: Redis): Redis {
  client.on('error', (error: Error & { readonly command?: { readonly name?: unknown } }) => {
    if (error.command?.name === 'select') client.disconnect(true);
  });
  return client;
}

/**
 * A connection for hearing messages, which does not connect again: whoever listens has to know that it missed something.
 * @param attempt counts the attempts, so that a Cluster's nodes are tried in turn; each of them hears every message
 */
export function openEar(library: typeof Library, servers: RedisServers, attempt: number): Redis {
  const common = {
    ...options(servers),
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    autoResubscribe: false,
    commandTimeout: COMMAND_MS,
    // Subscribing waits for the connection, but for no other one.
    maxRetriesPerRequest: 0,
  };
  if (servers.mode === 'single') return new library.Redis({ ...common, host: servers.host, port: servers.port });
  if (servers.mode === 'sentinel') return new library.Redis({ ...common, ...sentinel(servers) });
  const node = servers.nodes[attempt % servers.nodes.length];
  if (node === undefined) throw new Error('a Redis Cluster needs at least one node to ask for the others');
  return new library.Redis({ ...common, ...node });
}

function options({ username, password, tls }: RedisServers) {
  return {
    connectTimeout: CONNECT_MS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls: tlsOptions(tls) }),
    // Whether a server is loading its data is asked with the first command anyway.
    enableReadyCheck: true,
  };
}

function sentinel(servers: Extract<RedisServers, { mode: 'sentinel' }>) {
  const { username, password } = servers.sentinelCredentials;
  return {
    sentinels: servers.sentinels.map(({ host, port }) => ({ host, port })),
    name: servers.service,
    db: servers.db,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(servers.sentinelConnectMs !== undefined && { connectTimeout: servers.sentinelConnectMs }),
    ...(servers.tls !== undefined && { sentinelTLS: tlsOptions(servers.tls), enableTLSForSentinelMode: true }),
  };
}

const tlsOptions = ({ ca, cert, key, verify }: RedisTls) => ({
  minVersion: 'TLSv1.2' as const,
  rejectUnauthorized: verify,
  ...(ca !== undefined && { ca }),
  ...(cert !== undefined && { cert }),
  ...(key !== undefined && { key }),
});
