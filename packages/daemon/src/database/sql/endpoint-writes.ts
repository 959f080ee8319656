import type { SqlDialect } from '../dialect.ts';
import { newHookId } from '../ids.ts';
import type { EndpointRecord, JsonObject } from '../records.ts';
import type { NewEndpoint } from '../repositories/index.ts';
import type { Tx } from './context.ts';
import { countEndpoints } from './lifecycle-steps.ts';
import { endpointRecord, newTimes, now } from './rows.ts';

/** The writes on endpoints; each works inside the transaction of its caller and keeps the installation's counters. */

const neverExpires = new Date('2050-01-01T00:00:00.000Z');

export async function insert(tx: Tx, endpoint: NewEndpoint): Promise<EndpointRecord> {
  const times = newTimes();
  for (;;) {
    const row = {
      id: endpoint.id,
      ...times.columns,
      name: endpoint.name,
      hook_id: newHookId(),
      tenant_id: endpoint.tenantId,
      user_id: endpoint.userId,
      plugin_id: endpoint.pluginId,
      expired_at: neverExpires,
      enabled: true,
      settings: JSON.stringify(endpoint.settings),
    };
    // A hook id that is taken is drawn anew; an id that is taken is a mistake of the caller and fails.
    const taken = await tx.selectFrom('endpoints').select('id').where('hook_id', '=', row.hook_id).executeTakeFirst();
    if (taken !== undefined) continue;
    await tx.insertInto('endpoints').values(row).execute();
    await recount(tx, endpoint.tenantId, endpoint.pluginId);
    return endpointRecord({ ...row, ...times.record, expired_at: neverExpires.toISOString() });
  }
}

export async function update(
  dialect: SqlDialect,
  tx: Tx,
  tenantId: string,
  endpointId: string,
  { name, settings }: { readonly name: string; readonly settings: JsonObject },
): Promise<EndpointRecord | undefined> {
  const endpoint = await locked(dialect, tx, tenantId, endpointId);
  if (endpoint === undefined) return undefined;
  const updated_at = now();
  await tx
    .updateTable('endpoints')
    .set({ name, settings: JSON.stringify(settings), updated_at })
    .where('id', '=', endpointId)
    .execute();
  return { ...endpoint, name, settings, updated_at: updated_at.toISOString() };
}

export async function setEnabled(
  dialect: SqlDialect,
  tx: Tx,
  tenantId: string,
  endpointId: string,
  enabled: boolean,
): Promise<EndpointRecord | undefined> {
  const endpoint = await locked(dialect, tx, tenantId, endpointId);
  if (endpoint === undefined || endpoint.enabled === enabled) return endpoint;
  const updated_at = now();
  await tx.updateTable('endpoints').set({ enabled: enabled, updated_at }).where('id', '=', endpointId).execute();
  await recount(tx, tenantId, endpoint.plugin_id);
  return { ...endpoint, enabled, updated_at: updated_at.toISOString() };
}

export async function remove(
  dialect: SqlDialect,
  tx: Tx,
  tenantId: string,
  endpointId: string,
): Promise<EndpointRecord | undefined> {
  const endpoint = await locked(dialect, tx, tenantId, endpointId);
  if (endpoint === undefined) return undefined;
  await tx.deleteFrom('endpoints').where('id', '=', endpointId).execute();
  await recount(tx, tenantId, endpoint.plugin_id);
  return endpoint;
}

async function locked(
  dialect: SqlDialect,
  tx: Tx,
  tenantId: string,
  endpointId: string,
): Promise<EndpointRecord | undefined> {
  const select = tx.selectFrom('endpoints').selectAll().where('id', '=', endpointId).where('tenant_id', '=', tenantId);
  const row = await dialect.lockingRows(select).executeTakeFirst();
  return row && endpointRecord(row);
}

async function recount(tx: Tx, tenantId: string, pluginId: string): Promise<void> {
  await tx
    .updateTable('plugin_installations')
    .set({ ...(await countEndpoints(tx, tenantId, pluginId)), updated_at: now() })
    .where('tenant_id', '=', tenantId)
    .where('plugin_id', '=', pluginId)
    .execute();
}
