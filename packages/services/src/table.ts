import type { ServiceSpec } from './service.ts';
import { startMariadb } from './services/mariadb.ts';
import { startPgbouncer } from './services/pgbouncer.ts';
import { startPostgresql } from './services/postgresql.ts';
import { startRedis } from './services/redis.ts';

export type ServiceName = 'postgresql' | 'pgbouncer' | 'mariadb' | 'redis';

/** In the order they are started. */
export const services: Readonly<Record<ServiceName, ServiceSpec>> = {
  postgresql: {
    needs: ['initdb', 'postgres', 'openssl'],
    packages: ['postgresql', 'openssl'],
    exports: ['TEST_POSTGRESQL_URL', 'TEST_TLS_DIRECTORY'],
    start: startPostgresql,
  },
  pgbouncer: {
    needs: ['pgbouncer', 'openssl'],
    packages: ['pgbouncer', 'openssl'],
    after: ['postgresql'],
    exports: ['TEST_PGBOUNCER_URL'],
    start: startPgbouncer,
  },
  mariadb: {
    needs: ['mariadbd', 'mariadb-install-db', 'openssl'],
    packages: ['mariadb-server', 'openssl'],
    exports: ['TEST_MARIADB_URL', 'TEST_TLS_DIRECTORY'],
    start: startMariadb,
  },
  redis: {
    needs: ['redis-server', 'redis-cli', 'openssl'],
    packages: ['redis-server', 'redis-tools', 'openssl'],
    exports: ['TEST_REDIS_URL'],
    start: startRedis,
  },
};
