import type { ServiceSpec } from './service.ts';
import { startKubernetes } from './services/kubernetes.ts';
import { startMariadb } from './services/mariadb.ts';
import { MYSQL_SERVER, startMysql } from './services/mysql.ts';
import { startEmulator } from './services/object-stores.ts';
import { startPgbouncer } from './services/pgbouncer.ts';
import { startPodman } from './services/podman.ts';
import { startPostgresql } from './services/postgresql.ts';
import { startRedis } from './services/redis.ts';

/** Emulators; what they are for is said where they are started. */
type ObjectStoreName = 'versitygw' | 'moto' | 'azurite' | 'gcs';
export type ServiceName =
  | 'postgresql'
  | 'pgbouncer'
  | 'mariadb'
  | 'mysql'
  | 'redis'
  | 'podman'
  | 'kubernetes'
  | ObjectStoreName;

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
  mysql: {
    needs: [MYSQL_SERVER, 'openssl'],
    packages: [],
    install: `link the mysqld of MySQL 8 or newer as ${MYSQL_SERVER} on the PATH`,
    exports: ['TEST_MYSQL_URL', 'TEST_TLS_DIRECTORY'],
    start: startMysql,
  },
  redis: {
    needs: ['redis-server', 'redis-cli', 'openssl'],
    packages: ['redis-server', 'redis-tools', 'openssl'],
    exports: ['TEST_REDIS_URL'],
    start: startRedis,
  },
  podman: {
    needs: ['podman', 'runc', 'netavark', 'tar', 'env'],
    packages: ['podman', 'runc', 'netavark'],
    exports: ['TEST_PODMAN_SOCKET', 'TEST_PODMAN_IMAGE'],
    start: startPodman,
  },
  kubernetes: {
    needs: ['etcd', 'kube-apiserver', 'kube-controller-manager', 'openssl'],
    packages: [],
    install: 'put etcd, kube-apiserver and kube-controller-manager of their releases on the PATH',
    exports: [
      'TEST_KUBERNETES_URL',
      'TEST_KUBERNETES_CA',
      'TEST_KUBERNETES_TOKEN_FILE',
      'TEST_KUBERNETES_ADMIN_TOKEN_FILE',
    ],
    start: startKubernetes,
  },
  versitygw: {
    needs: ['versitygw'],
    packages: [],
    install: 'go install github.com/versity/versitygw/cmd/versitygw@latest',
    exports: ['TEST_S3_URL'],
    start: startEmulator('versitygw'),
  },
  moto: {
    needs: ['moto_server'],
    packages: [],
    install: "pip install 'moto[server]'",
    exports: ['TEST_MOTO_URL'],
    start: startEmulator('moto'),
  },
  azurite: {
    needs: ['azurite-blob'],
    packages: [],
    install: 'npm install --global azurite',
    exports: ['TEST_AZURITE_URL'],
    start: startEmulator('azurite'),
  },
  gcs: {
    needs: ['gcp-storage-emulator'],
    packages: [],
    install: 'pip install gcp-storage-emulator',
    exports: ['TEST_GCS_URL'],
    start: startEmulator('gcs'),
  },
};
