import { DatabaseError } from '../database-error.ts';
import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { InstallationRecord, PluginRecord, RuntimeType } from '../records.ts';
import type { InstallRequest } from '../repositories/index.ts';
import { declaredProviders, type StoredDeclaration } from '../stored-declaration.ts';
import type { Tx } from './context.ts';
import { installationRecord, newTimes, now, pluginRecord, projectionTables } from './rows.ts';

/** The steps that install, uninstall and upgrade are made of; each works inside the transaction of its caller. */

type InstallationWhere = { readonly tenant_id: string } & (
  | { readonly id: string }
  | { readonly plugin_id: string }
  | { readonly plugin_unique_identifier: string }
);

export async function readInstallation(
  dialect: SqlDialect,
  tx: Tx,
  where: InstallationWhere,
): Promise<InstallationRecord | undefined> {
  const select = tx
    .selectFrom('plugin_installations')
    .selectAll()
    .where((row) => row.and(where))
    .orderBy('id')
    .limit(1);
  const row = await dialect.lockingRows(select).executeTakeFirst();
  return row && installationRecord(row);
}

export async function readPlugin(dialect: SqlDialect, tx: Tx, identifier: string): Promise<PluginRecord | undefined> {
  const select = tx.selectFrom('plugins').selectAll().where('plugin_unique_identifier', '=', identifier);
  const row = await dialect.lockingRows(select).executeTakeFirst();
  return row && pluginRecord(row);
}

export interface NewPlugin {
  readonly uniqueIdentifier: string;
  readonly pluginId: string;
  readonly installType: RuntimeType;
  readonly manifestType: string;
  readonly source: string;
  readonly declaration: StoredDeclaration;
}

/**
 * Makes sure of the row of a version and locks it, so that nobody takes the version for unused meanwhile. A new row has no
 * references yet.
 */
export async function providePlugin(dialect: SqlDialect, tx: Tx, plugin: NewPlugin): Promise<void> {
  if ((await readPlugin(dialect, tx, plugin.uniqueIdentifier)) !== undefined) return;
  const insert = tx.insertInto('plugins').values({
    id: newId(),
    ...newTimes().columns,
    plugin_unique_identifier: plugin.uniqueIdentifier,
    plugin_id: plugin.pluginId,
    refers: 0,
    install_type: plugin.installType,
    manifest_type: plugin.manifestType,
    remote_declaration: plugin.installType === 'remote' ? plugin.declaration.json : null,
    source: plugin.source,
  });
  await dialect.ignoringDuplicates(insert).execute();
  if ((await readPlugin(dialect, tx, plugin.uniqueIdentifier)) !== undefined) return;
  // Its last tenant left between the two statements.
  throw new DatabaseError('conflict', `the rows of ${plugin.uniqueIdentifier} were removed meanwhile`, {
    cause: undefined,
    remedy: 'try again',
  });
}

/** Puts the declaration back that the last tenant of a version has taken with it, if it did so at this moment. */
export async function provideDeclaration(dialect: SqlDialect, tx: Tx, declaration: StoredDeclaration): Promise<void> {
  const insert = tx.insertInto('plugin_declarations').values({
    id: newId(),
    ...newTimes().columns,
    plugin_unique_identifier: declaration.plugin_unique_identifier,
    plugin_id: declaration.plugin_id,
    declaration: declaration.json,
  });
  await dialect.ignoringDuplicates(insert).execute();
}

/** Sets `refers` to the number of installations there are: a counter that is only ever moved drifts. */
export async function countReferences(
  dialect: SqlDialect,
  tx: Tx,
  identifier: string,
): Promise<PluginRecord | undefined> {
  const plugin = await readPlugin(dialect, tx, identifier);
  if (plugin === undefined) return undefined;
  const { count } = await tx
    .selectFrom('plugin_installations')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('plugin_unique_identifier', '=', identifier)
    .executeTakeFirstOrThrow();
  const refers = Number(count);
  const time = now();
  await tx.updateTable('plugins').set({ refers, updated_at: time }).where('id', '=', plugin.id).execute();
  return { ...plugin, refers, updated_at: time.toISOString() };
}

/** What belongs to a version that no tenant uses. */
export async function deleteVersion(tx: Tx, identifier: string): Promise<void> {
  for (const table of ['plugins', 'plugin_declarations', 'serverless_runtimes'] as const) {
    await tx.deleteFrom(table).where('plugin_unique_identifier', '=', identifier).execute();
  }
}

export async function insertInstallation(tx: Tx, request: InstallRequest): Promise<InstallationRecord> {
  const times = newTimes();
  const row = {
    id: newId(),
    ...times.columns,
    tenant_id: request.tenantId,
    plugin_id: request.pluginId,
    plugin_unique_identifier: request.uniqueIdentifier,
    runtime_type: request.installType,
    ...(await countEndpoints(tx, request.tenantId, request.pluginId)),
    source: request.source,
    meta: JSON.stringify(request.meta),
  };
  await tx.insertInto('plugin_installations').values(row).execute();
  return installationRecord({ ...row, ...times.record });
}

/** The counters of an installation, counted: endpoints outlive installations. */
export async function countEndpoints(
  tx: Tx,
  tenantId: string,
  pluginId: string,
): Promise<{ endpoints_setups: number; endpoints_active: number }> {
  const rows = await tx
    .selectFrom('endpoints')
    .select('enabled')
    .where('tenant_id', '=', tenantId)
    .where('plugin_id', '=', pluginId)
    .execute();
  return { endpoints_setups: rows.length, endpoints_active: rows.filter((row) => Boolean(row.enabled)).length };
}

export interface Projected {
  readonly pluginId: string;
  readonly uniqueIdentifier: string;
  readonly declaration: StoredDeclaration;
}

/** One row for each kind the plugin declares. */
export async function insertProjections(tx: Tx, tenantId: string, plugin: Projected): Promise<void> {
  for (const [kind, provider] of declaredProviders(plugin.declaration.value)) {
    await tx
      .insertInto(projectionTables[kind])
      .values({
        id: newId(),
        ...newTimes().columns,
        tenant_id: tenantId,
        provider,
        plugin_unique_identifier: plugin.uniqueIdentifier,
        plugin_id: plugin.pluginId,
      })
      .execute();
  }
}

/** Deletes the plugin's rows in every kind, whatever its old declaration said, and inserts those of `next`. */
export async function replaceProjections(
  tx: Tx,
  tenantId: string,
  pluginId: string,
  next: Projected | undefined,
): Promise<void> {
  for (const table of Object.values(projectionTables)) {
    await tx.deleteFrom(table).where('tenant_id', '=', tenantId).where('plugin_id', '=', pluginId).execute();
  }
  if (next !== undefined) await insertProjections(tx, tenantId, next);
}
