import { howToInstall } from './service.ts';
import { type ServiceName, services } from './table.ts';

/** The variable that says that a service runs, and where. */
const variables: Readonly<Record<ServiceName, string>> = {
  postgresql: 'TEST_POSTGRESQL_URL',
  pgbouncer: 'TEST_PGBOUNCER_URL',
  mariadb: 'TEST_MARIADB_URL',
  mysql: 'TEST_MYSQL_URL',
  redis: 'TEST_REDIS_URL',
  podman: 'TEST_PODMAN_SOCKET',
  kubernetes: 'TEST_KUBERNETES_URL',
  versitygw: 'TEST_S3_URL',
  moto: 'TEST_MOTO_URL',
  azurite: 'TEST_AZURITE_URL',
  gcs: 'TEST_GCS_URL',
};

/** The URL of a service that was started for this test run; undefined when it was not. */
export const provided = (name: ServiceName): string | undefined => process.env[variables[name]];

/** Why a test that needs the service is skipped, and what to do about it. */
export const skipReason = (name: ServiceName): string =>
  `needs ${name}: run "npm run services -- npx vitest run" (${howToInstall(services[name])})`;

/** The URL. @throws when it was not started, with what to do about it */
export function requirement(name: ServiceName): string {
  const url = provided(name);
  if (url === undefined) throw new Error(skipReason(name));
  return url;
}
