import type { SqlDialect } from '../dialect.ts';
import { derivedId } from '../ids.ts';
import type { TenantStorages } from '../repositories/index.ts';
import type { Sql, SqlContext, Tx } from './context.ts';
import { newTimes, now } from './rows.ts';

export class SqlTenantStorages implements TenantStorages {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async reserve(
    tenantId: string,
    pluginId: string,
    bytes: number,
    limit: number,
  ): Promise<{ ok: boolean; size: number }> {
    return await this.#dialect.transaction(async (tx) => {
      const { id, size } = await this.#locked(tx, tenantId, pluginId);
      const wanted = Math.max(0, size + bytes);
      if (bytes > 0 && wanted > limit) return { ok: false, size };
      if (wanted !== size) {
        await tx.updateTable('tenant_storages').set({ size: wanted, updated_at: now() }).where('id', '=', id).execute();
      }
      return { ok: true, size: wanted };
    });
  }

  async release(tenantId: string, pluginId: string, bytes: number): Promise<void> {
    await this.reserve(tenantId, pluginId, -bytes, 0);
  }

  async size(tenantId: string, pluginId: string): Promise<number> {
    const { size } = await this.#sql
      .selectFrom('tenant_storages')
      .select(({ fn }) => fn.sum<number | null>('size').as('size'))
      .where('tenant_id', '=', tenantId)
      .where('plugin_id', '=', pluginId)
      .executeTakeFirstOrThrow();
    return Number(size ?? 0);
  }

  /** The one row of tenant and plugin: made when missing, rows that exist twice merged into the first. */
  async #locked(tx: Tx, tenantId: string, pluginId: string): Promise<{ id: string; size: number }> {
    const [first, ...others] = await this.#rows(tx, tenantId, pluginId);
    if (first === undefined) return await this.#made(tx, tenantId, pluginId);
    if (others.length === 0) return first;
    const size = others.reduce((sum, row) => sum + row.size, first.size);
    await tx.updateTable('tenant_storages').set({ size, updated_at: now() }).where('id', '=', first.id).execute();
    for (const { id } of others) await tx.deleteFrom('tenant_storages').where('id', '=', id).execute();
    return { id: first.id, size };
  }

  /** There is no unique key of tenant and plugin, but the primary key: whoever else makes the row now makes the same one. */
  async #made(tx: Tx, tenantId: string, pluginId: string): Promise<{ id: string; size: number }> {
    const row = {
      id: derivedId('tenant_storages', tenantId, pluginId),
      ...newTimes().columns,
      tenant_id: tenantId,
      plugin_id: pluginId,
      size: 0,
    };
    await this.#dialect.ignoringDuplicates(tx.insertInto('tenant_storages').values(row)).execute();
    const [made] = await this.#rows(tx, tenantId, pluginId);
    return made ?? row;
  }

  async #rows(tx: Tx, tenantId: string, pluginId: string): Promise<readonly { id: string; size: number }[]> {
    const select = tx
      .selectFrom('tenant_storages')
      .select(['id', 'size'])
      .where('tenant_id', '=', tenantId)
      .where('plugin_id', '=', pluginId)
      .orderBy('id');
    return await this.#dialect.lockingRows(select).execute();
  }
}
