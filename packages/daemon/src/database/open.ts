import { existsSync } from 'node:fs';
import { sql } from 'kysely';
import type { EventBus } from '../events/index.ts';
import { DatabaseError } from './database-error.ts';
import type { SqlDialect } from './dialect.ts';
import { type MissingKey, migrate } from './migrate.ts';
import { openMysql } from './mysql/index.ts';
import { openPostgresql } from './postgresql/index.ts';
import type { Database } from './repositories/index.ts';
import { openRowCaches } from './row-caches.ts';
import { tables } from './schema.ts';
import type { ServerOptions } from './servers/index.ts';
import { SqlAuditEvents } from './sql/audit-events.ts';
import type { SqlContext } from './sql/context.ts';
import { SqlDebuggingLeases } from './sql/debugging-leases.ts';
import { SqlDeclarations } from './sql/declarations.ts';
import { SqlEndpoints } from './sql/endpoints.ts';
import { SqlInstallTasks } from './sql/install-tasks.ts';
import { SqlInstallations } from './sql/installations.ts';
import { SqlJobLeases } from './sql/job-leases.ts';
import { SqlPluginNotes } from './sql/plugin-notes.ts';
import { SqlPlugins } from './sql/plugins.ts';
import { SqlProjections } from './sql/projections.ts';
import { SqlReadmes } from './sql/readmes.ts';
import { SqlServerlessRuntimes } from './sql/serverless-runtimes.ts';
import { SqlTenantLifecycle } from './sql/tenant-lifecycle.ts';
import { SqlTenantStorages } from './sql/tenant-storages.ts';
import { openSqlite, type SqliteFileOptions } from './sqlite/index.ts';

/** Which database, and what its driver needs. */
export type DatabaseOptions =
  | ({ readonly type: 'sqlite' } & SqliteFileOptions)
  | ({ readonly type: 'postgresql' | 'mysql' } & ServerOptions);

/**
 * Opens the database, creating and migrating it as needed.
 * @param events by which nodes that share it tell each other what they changed
 * @param onMissingKey told of each unique key that rows of former times stand against
 * @throws DatabaseError when it cannot be used
 */
export async function openDatabase(
  options: DatabaseOptions,
  events?: EventBus,
  onMissingKey?: (key: MissingKey) => void,
): Promise<Database> {
  const dialect = await openDialect(options);
  try {
    for (const key of await migrate(dialect)) onMissingKey?.(key);
    const isFirst = options.type === 'sqlite' && options.shared === 'first';
    if (dialect.soleUser || isFirst) await endFormerLeases(dialect);
  } catch (error) {
    await dialect.kysely.destroy();
    throw error;
  }
  return repositories(dialect, events);
}

/**
 * Asks the database whether it can be used, without making or changing anything in it.
 * @returns what was found
 * @throws DatabaseError when it cannot be used
 */
export async function probeDatabase(options: DatabaseOptions): Promise<string> {
  if (options.type === 'sqlite' && !existsSync(options.file)) return `${options.file} will be made`;
  const dialect = await openExisting(options);
  if (dialect === undefined) return `${options.type} answers; the database will be made`;
  try {
    await sql`select 1`.execute(dialect.kysely);
    const known = new Set(tables.map(({ name }) => name));
    const present = await dialect.presentSchema(dialect.kysely);
    const there = [...present.tables.keys()].filter((name) => known.has(name)).length;
    return `${options.type} at ${dialect.place} answers; ${there} of ${known.size} tables are there, the others will be made`;
  } finally {
    await dialect.kysely.destroy();
  }
}

async function openExisting(options: DatabaseOptions): Promise<SqlDialect | undefined> {
  try {
    return await openDialect(options, { create: false });
  } catch (error) {
    if (error instanceof DatabaseError && error.failure === 'absent') return undefined;
    throw error;
  }
}

/**
 * The driver of the kind, connected. What it needs is loaded by this.
 * @param create makes the database when it is missing
 * @throws DatabaseError when it cannot be used
 */
export async function openDialect(
  options: DatabaseOptions,
  { create }: { readonly create: boolean } = { create: true },
): Promise<SqlDialect> {
  switch (options.type) {
    case 'sqlite':
      if (!create && !existsSync(options.file)) {
        throw new DatabaseError('absent', `there is no database ${options.file}`, { cause: undefined });
      }
      return await openSqlite(options);
    case 'postgresql':
      return await openPostgresql(options, create);
    case 'mysql':
      return await openMysql(options, create);
  }
}

/** Who held a lease before is gone, however far its deadline. */
async function endFormerLeases({ kysely }: SqlDialect): Promise<void> {
  await kysely.updateTable('install_task_leases').set({ deadline: 0 }).execute();
  await kysely.deleteFrom('debugging_leases').execute();
  await kysely.updateTable('job_leases').set({ deadline: 0 }).execute();
}

/** The same of one node; its jobs hold theirs under its name with a suffix. */
async function endLeasesOf({ kysely }: SqlDialect, nodeId: string): Promise<void> {
  const owned = `${nodeId}%`;
  await kysely.updateTable('install_task_leases').set({ deadline: 0 }).where('owner', 'like', owned).execute();
  await kysely.updateTable('debugging_leases').set({ deadline: 0 }).where('owner', 'like', owned).execute();
  await kysely.updateTable('job_leases').set({ deadline: 0 }).where('owner', 'like', owned).execute();
}

function repositories(dialect: SqlDialect, events: EventBus | undefined): Database {
  const context: SqlContext = {
    sql: dialect.kysely,
    dialect,
    caches: openRowCaches(events),
  };
  return {
    plugins: new SqlPlugins(context),
    installations: new SqlInstallations(context),
    declarations: new SqlDeclarations(context),
    projections: new SqlProjections(context),
    endpoints: new SqlEndpoints(context),
    installTasks: new SqlInstallTasks(context),
    debuggingLeases: new SqlDebuggingLeases(context),
    jobLeases: new SqlJobLeases(context),
    tenantStorages: new SqlTenantStorages(context),
    readmes: new SqlReadmes(context),
    serverlessRuntimes: new SqlServerlessRuntimes(context),
    lifecycle: new SqlTenantLifecycle(context),
    auditEvents: new SqlAuditEvents(context),
    pluginNotes: new SqlPluginNotes(context),
    ping: async () => {
      await sql`select 1`.execute(dialect.kysely);
    },
    endLeasesOf: (nodeId) => endLeasesOf(dialect, nodeId),
    close: () => dialect.kysely.destroy(),
  };
}
