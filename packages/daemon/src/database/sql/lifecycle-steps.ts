import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { InstallationRecord, PluginRecord, RuntimeType } from '../records.ts';
import type { InstallRequest } from '../repositories.ts';
import { declaredProviders, type StoredDeclaration } from '../stored-declaration.ts';
import type { Tx } from './context.ts';
import { installationRecord, now, pluginRecord, projectionTables } from './rows.ts';

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

/** Makes sure of the row of a version, without references yet when it is new. */
export async function providePlugin(dialect: SqlDialect, tx: Tx, plugin: NewPlugin): Promise<void> {
  const time = now();
  const insert = tx.insertInto('plugins').values({
    id: newId(),
    created_at: time,
    updated_at: time,
    plugin_unique_identifier: plugin.uniqueIdentifier,
    plugin_id: plugin.pluginId,
    refers: 0,
    install_type: plugin.installType,
    manifest_type: plugin.manifestType,
    remote_declaration: plugin.installType === 'remote' ? plugin.declaration.json : null,
    source: plugin.source,
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
  const change = { refers: Number(count), updated_at: now() };
  await tx.updateTable('plugins').set(change).where('id', '=', plugin.id).execute();
  return { ...plugin, ...change };
}

/** What belongs to a version that no tenant uses. */
export async function deleteVersion(tx: Tx, identifier: string): Promise<void> {
  for (const table of ['plugins', 'plugin_declarations', 'serverless_runtimes'] as const) {
    await tx.deleteFrom(table).where('plugin_unique_identifier', '=', identifier).execute();
  }
}

export async function insertInstallation(tx: Tx, request: InstallRequest): Promise<InstallationRecord> {
  const time = now();
  const row = {
    id: newId(),
    created_at: time,
    updated_at: time,
    tenant_id: request.tenantId,
    plugin_id: request.pluginId,
    plugin_unique_identifier: request.uniqueIdentifier,
    runtime_type: request.installType,
    ...(await countEndpoints(tx, request.tenantId, request.pluginId)),
    source: request.source,
    meta: JSON.stringify(request.meta),
  };
  await tx.insertInto('plugin_installations').values(row).execute();
  return installationRecord(row);
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
    const time = now();
    await tx
      .insertInto(projectionTables[kind])
      .values({
        id: newId(),
        created_at: time,
        updated_at: time,
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
