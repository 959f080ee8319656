import { readFileSync } from 'node:fs';
import type { RedisServers, RedisTls } from '../cache/index.ts';
import { redisClusterNodes, redisSentinels, type Settings, usesRedis } from '../config/index.ts';

/** The servers that the settings name; undefined when they name none. @throws when a PEM file cannot be read */
export function redisServers(settings: Settings): RedisServers | undefined {
  if (!usesRedis(settings)) return undefined;
  const common = {
    ...defined('username', settings.REDIS_USERNAME),
    ...defined('password', settings.REDIS_PASSWORD),
    ...(settings.REDIS_USE_SSL && { tls: tls(settings) }),
  };
  if (settings.REDIS_USE_SENTINEL) {
    return {
      ...common,
      mode: 'sentinel',
      db: settings.REDIS_DB,
      sentinels: redisSentinels(settings),
      service: settings.REDIS_SENTINEL_SERVICE_NAME ?? '',
      sentinelCredentials: {
        ...defined('username', settings.REDIS_SENTINEL_USERNAME),
        ...defined('password', settings.REDIS_SENTINEL_PASSWORD),
      },
      ...(settings.REDIS_SENTINEL_SOCKET_TIMEOUT > 0 && {
        sentinelConnectMs: Math.ceil(settings.REDIS_SENTINEL_SOCKET_TIMEOUT * 1000),
      }),
    };
  }
  if (settings.REDIS_USE_CLUSTERS) {
    return {
      ...common,
      ...defined('password', settings.REDIS_CLUSTERS_PASSWORD),
      mode: 'cluster',
      nodes: redisClusterNodes(settings),
    };
  }
  return {
    ...common,
    mode: 'single',
    host: settings.REDIS_HOST ?? '',
    port: settings.REDIS_PORT,
    db: settings.REDIS_DB,
  };
}

function tls(settings: Settings): RedisTls {
  const pem = (name: 'ca' | 'cert' | 'key', file: string | undefined) =>
    file === undefined ? {} : { [name]: readFileSync(file, 'utf8') };
  return {
    ...pem('ca', settings.REDIS_SSL_CA_CERTS),
    ...pem('cert', settings.REDIS_SSL_CERTFILE),
    ...pem('key', settings.REDIS_SSL_KEYFILE),
    verify: settings.REDIS_SSL_CERT_REQS !== 'CERT_NONE',
  };
}

const defined = <Name extends 'username' | 'password'>(name: Name, value: string | undefined) =>
  value === undefined || value === '' ? {} : { [name]: value };
