import { boolean, decimal, InvalidValue, integer, port, text } from './setting.ts';

const ignored = { usedBy: '–', status: 'no-effect' } as const;
const redis = (meaning: string) => ({ ...ignored, meaning: `${meaning} (Redis is not supported yet).` });

function refuseRedis(): never {
  throw new InvalidValue(
    'Redis is not supported in this version',
    'unset it for the daemon: one node needs no Redis, its cache, events and locks live in the process',
  );
}

/** Redis. Source: config-storage-database §1.8. */
export const redisSettings = {
  REDIS_HOST: text({
    usedBy: 'compose',
    refused: 'any value',
    meaning: 'Host of Redis. A deployment that names it may expect several nodes to share state.',
    refuse: refuseRedis,
  }),
  REDIS_USE_SENTINEL: boolean({
    default: false,
    usedBy: 'compose',
    refused: '`true`',
    meaning: 'Redis through Sentinel.',
    refuse: (used) => {
      if (used) refuseRedis();
    },
  }),
  REDIS_USE_CLUSTERS: boolean({
    default: false,
    usedBy: 'compose',
    refused: '`true`',
    meaning: 'Redis Cluster.',
    refuse: (used) => {
      if (used) refuseRedis();
    },
  }),
  REDIS_PORT: port({ ...redis('Port'), default: 6379, zeroIsDefault: true }),
  REDIS_USERNAME: text(redis('User')),
  REDIS_PASSWORD: text({ ...redis('Password'), secret: true }),
  REDIS_DB: integer({ ...redis('Number of the database'), default: 0 }),
  REDIS_KEY_PREFIX: text({ ...redis('Prefix of every key'), default: 'plugin_daemon' }),
  REDIS_USE_SSL: boolean({ ...redis('TLS'), default: false }),
  REDIS_SSL_CERT_REQS: text(redis('TLS verification')),
  REDIS_SSL_CA_CERTS: text(redis('TLS authorities')),
  REDIS_SSL_CERTFILE: text(redis('TLS client certificate')),
  REDIS_SSL_KEYFILE: text(redis('TLS client key')),
  REDIS_SENTINELS: text(redis('Sentinels')),
  REDIS_SENTINEL_SERVICE_NAME: text(redis('Sentinel service')),
  REDIS_SENTINEL_USERNAME: text(redis('Sentinel user')),
  REDIS_SENTINEL_PASSWORD: text({ ...redis('Sentinel password'), secret: true }),
  REDIS_SENTINEL_SOCKET_TIMEOUT: decimal({ ...redis('Sentinel dial timeout'), unit: 's', default: 0 }),
  REDIS_CLUSTERS: text(redis('Cluster nodes')),
  REDIS_CLUSTERS_PASSWORD: text({ ...redis('Cluster password'), secret: true }),
  REDIS_MAX_CONNECTIONS: integer({ ...redis('Connections'), default: 0 }),
  REDIS_USE_AZURE_MANAGED_IDENTITY: boolean({ ...redis('Identity of the machine'), default: false }),
};
