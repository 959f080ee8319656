import { boolean, choice, decimal, InvalidValue, integer, list, path, port, text } from './setting.ts';

const redis = { usedBy: 'cache' } as const;

/** Redis. Source: docs/operations.md. */
export const redisSettings = {
  REDIS_HOST: text({
    ...redis,
    meaning:
      'Host of a Redis server, or of what speaks its protocol. Unset, and without Sentinel and Cluster: one node, whose cache, messages and locks live in the process.',
  }),
  REDIS_PORT: port({ ...redis, default: 6379, zeroIsDefault: true, meaning: 'Its port.' }),
  REDIS_USERNAME: text({ ...redis, meaning: 'User, with servers that know users.' }),
  REDIS_PASSWORD: text({ ...redis, secret: true, meaning: 'Password.' }),
  REDIS_DB: integer({ ...redis, default: 0, meaning: 'Number of the database. A Cluster has only 0.' }),
  REDIS_KEY_PREFIX: text({
    ...redis,
    default: 'plugin_daemon',
    meaning: 'Before every key and channel, followed by a colon. Nodes with the same one belong together.',
  }),
  REDIS_USE_SSL: boolean({ ...redis, default: false, meaning: 'TLS, 1.2 or newer.' }),
  REDIS_SSL_CERT_REQS: choice(
    {
      '': 'CERT_OPTIONAL',
      cert_none: 'CERT_NONE',
      cert_optional: 'CERT_OPTIONAL',
      cert_required: 'CERT_REQUIRED',
    },
    {
      ...redis,
      default: 'CERT_OPTIONAL',
      meaning:
        'Whether the certificate of the server is verified: `CERT_NONE` not at all; `CERT_OPTIONAL` with the file below or else with the authorities of the system; `CERT_REQUIRED` with the file below.',
    },
  ),
  REDIS_SSL_CA_CERTS: path({ ...redis, meaning: 'PEM file of authorities; replaces those of the system.' }),
  REDIS_SSL_CERTFILE: path({ ...redis, meaning: 'PEM file of the certificate that this daemon shows.' }),
  REDIS_SSL_KEYFILE: path({ ...redis, meaning: 'PEM file of its key.' }),
  REDIS_USE_SENTINEL: boolean({
    ...redis,
    default: false,
    meaning: 'Asks Sentinels for the server; `REDIS_HOST` and `REDIS_PORT` count for nothing then.',
  }),
  REDIS_SENTINELS: list({ ...redis, default: [], meaning: 'The Sentinels, as `host:port`.' }),
  REDIS_SENTINEL_SERVICE_NAME: text({ ...redis, meaning: 'Name of the master they watch.' }),
  REDIS_SENTINEL_USERNAME: text({ ...redis, meaning: 'User for the Sentinels themselves.' }),
  REDIS_SENTINEL_PASSWORD: text({ ...redis, secret: true, meaning: 'Password for the Sentinels themselves.' }),
  REDIS_SENTINEL_SOCKET_TIMEOUT: decimal({
    ...redis,
    unit: 's',
    default: 0,
    meaning: 'Longest time for connecting to a Sentinel; 0 is the default of 5 s.',
  }),
  REDIS_USE_CLUSTERS: boolean({
    ...redis,
    default: false,
    meaning: 'The servers are a Redis Cluster; `REDIS_HOST` and `REDIS_PORT` count for nothing then.',
  }),
  REDIS_CLUSTERS: list({ ...redis, default: [], meaning: 'Some of its nodes, as `host:port`; they name the others.' }),
  REDIS_CLUSTERS_PASSWORD: text({
    ...redis,
    secret: true,
    meaning: 'Password of the nodes; unset: `REDIS_PASSWORD`.',
  }),
  REDIS_MAX_CONNECTIONS: integer({
    usedBy: '–',
    status: 'no-effect',
    default: 0,
    meaning: 'One connection for commands and one for messages is all that is made.',
  }),
  REDIS_USE_AZURE_MANAGED_IDENTITY: boolean({
    default: false,
    usedBy: 'config',
    refused: '`true`',
    meaning: 'Tokens of the identity of an Azure machine instead of a password.',
    refuse: (used) => {
      if (used) {
        throw new InvalidValue(
          'asks for tokens of an Azure identity, which this daemon cannot obtain',
          'set an access key of the cache as REDIS_PASSWORD, with REDIS_USE_SSL=true, and unset it',
        );
      }
    },
  }),
};
