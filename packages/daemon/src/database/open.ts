import { sql } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import { migrate } from './migrate.ts';
import { openMysql } from './mysql/index.ts';
import { openPostgresql } from './postgresql/index.ts';
import { ReadThroughCache } from './read-through-cache.ts';
import type { EndpointRecord, InstallationRecord } from './records.ts';
import type { Database } from './repositories.ts';
import type { ServerOptions } from './servers/index.ts';
import type { SqlContext } from './sql/context.ts';
import { SqlDebuggingLeases } from './sql/debugging-leases.ts';
import { SqlDeclarations } from './sql/declarations.ts';
import { SqlEndpoints } from './sql/endpoints.ts';
import { SqlInstallTasks } from './sql/install-tasks.ts';
import { SqlInstallations } from './sql/installations.ts';
import { SqlPlugins } from './sql/plugins.ts';
import { SqlProjections } from './sql/projections.ts';
import { SqlReadmes } from './sql/readmes.ts';
import { SqlServerlessRuntimes } from './sql/serverless-runtimes.ts';
import { SqlTenantLifecycle } from './sql/tenant-lifecycle.ts';
import { SqlTenantStorages } from './sql/tenant-storages.ts';
import { openSqlite, type SqliteFileOptions } from './sqlite/index.ts';
import type { StoredDeclaration } from './stored-declaration.ts';

/** Which database, and what its driver needs. */
export type DatabaseOptions =
  | ({ readonly type: 'sqlite' } & SqliteFileOptions)
  | ({ readonly type: 'postgresql' | 'mysql' } & ServerOptions);

/** Most text of declarations kept in memory; parsed they take about three times as much. */
const declarationCharacters = 16 * 1024 * 1024;

/**
 * Opens the database, creating and migrating it as needed.
 * @throws DatabaseError when it cannot be used
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const dialect = await openDialect(options);
  try {
    await migrate(dialect);
    if (dialect.soleUser) await endFormerLeases(dialect);
  } catch (error) {
    await dialect.kysely.destroy();
    throw error;
  }
  return repositories(dialect);
}

/** The driver of the kind, connected. What it needs is loaded by this. */
export function openDialect(options: DatabaseOptions): Promise<SqlDialect> {
  switch (options.type) {
    case 'sqlite':
      return openSqlite(options);
    case 'postgresql':
      return openPostgresql(options);
    case 'mysql':
      return openMysql(options);
  }
}

/** Who held a lease before is gone, however far its deadline. */
async function endFormerLeases({ kysely }: SqlDialect): Promise<void> {
  await kysely.deleteFrom('install_task_leases').execute();
  await kysely.deleteFrom('debugging_leases').execute();
}

function repositories(dialect: SqlDialect): Database {
  const context: SqlContext = {
    sql: dialect.kysely,
    dialect,
    caches: {
      installations: new ReadThroughCache<InstallationRecord>({ maxEntries: 20_000 }),
      declarations: new ReadThroughCache<StoredDeclaration>({
        maxEntries: 1024,
        maxWeight: declarationCharacters,
        weigh: (declaration) => declaration.json.length,
      }),
      endpoints: new ReadThroughCache<EndpointRecord>({ maxEntries: 20_000 }),
    },
  };
  return {
    plugins: new SqlPlugins(context),
    installations: new SqlInstallations(context),
    declarations: new SqlDeclarations(context),
    projections: new SqlProjections(context),
    endpoints: new SqlEndpoints(context),
    installTasks: new SqlInstallTasks(context),
    debuggingLeases: new SqlDebuggingLeases(context),
    tenantStorages: new SqlTenantStorages(context),
    readmes: new SqlReadmes(context),
    serverlessRuntimes: new SqlServerlessRuntimes(context),
    lifecycle: new SqlTenantLifecycle(context),
    ping: async () => {
      await sql`select 1`.execute(dialect.kysely);
    },
    close: () => dialect.kysely.destroy(),
  };
}
