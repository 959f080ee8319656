import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { InstallationRecord, Page, RuntimeType } from '../records.ts';
import type { Installations } from '../repositories/index.ts';
import { inLists, installationKey, offsetOf, type RowCaches, type Sql, type SqlContext } from './context.ts';
import { installationRecord } from './rows.ts';

export class SqlInstallations implements Installations {
  readonly #sql: Sql;
  readonly #cache: RowCaches['installations'];

  constructor({ sql, caches }: SqlContext) {
    this.#sql = sql;
    this.#cache = caches.installations;
  }

  find(tenantId: string, pluginId: string): Promise<InstallationRecord | undefined> {
    return this.#cache.get(installationKey(tenantId, pluginId), async () => {
      // In databases from before the unique key there may be several.
      const row = await this.#ofTenant(tenantId)
        .where('plugin_id', '=', pluginId)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      return row && installationRecord(row);
    });
  }

  peek(tenantId: string, pluginId: string): InstallationRecord | undefined {
    return this.#cache.peek(installationKey(tenantId, pluginId));
  }

  async findById(tenantId: string, installationId: string): Promise<InstallationRecord | undefined> {
    const row = await this.#ofTenant(tenantId).where('id', '=', installationId).executeTakeFirst();
    return row && installationRecord(row);
  }

  async findByIdentifier(tenantId: string, uniqueIdentifier: string): Promise<InstallationRecord | undefined> {
    const row = await this.#ofTenant(tenantId)
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return row && installationRecord(row);
  }

  async listByTenant(tenantId: string, page: Page): Promise<readonly InstallationRecord[]> {
    const rows = await this.#newestFirst(tenantId).limit(page.pageSize).offset(offsetOf(page)).execute();
    return rows.map(installationRecord);
  }

  async listAllByTenant(tenantId: string): Promise<readonly InstallationRecord[]> {
    return (await this.#newestFirst(tenantId).execute()).map(installationRecord);
  }

  async countByTenant(tenantId: string): Promise<number> {
    const { count } = await this.#sql
      .selectFrom('plugin_installations')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('tenant_id', '=', tenantId)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async findByPluginIds(tenantId: string, pluginIds: readonly string[]): Promise<readonly InstallationRecord[]> {
    const rows = await inLists(pluginIds, (list) =>
      this.#ofTenant(tenantId).where('plugin_id', 'in', list).orderBy('created_at').orderBy('id').execute(),
    );
    return rows.map(installationRecord).toSorted(oldestFirst);
  }

  async countByIdentifier(uniqueIdentifier: string): Promise<number> {
    const { count } = await this.#sql
      .selectFrom('plugin_installations')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async identifiersInUse(filter: { runtimeType?: RuntimeType } = {}): Promise<readonly string[]> {
    const all = this.#sql.selectFrom('plugin_installations').select('plugin_unique_identifier').distinct();
    const { runtimeType } = filter;
    const rows = await (runtimeType === undefined ? all : all.where('runtime_type', '=', runtimeType)).execute();
    return rows.map((row) => row.plugin_unique_identifier ?? '').filter(isUniqueIdentifier);
  }

  async listByRuntimeType(runtimeType: RuntimeType): Promise<readonly InstallationRecord[]> {
    const rows = await this.#sql
      .selectFrom('plugin_installations')
      .selectAll()
      .where('runtime_type', '=', runtimeType)
      .execute();
    return rows.map(installationRecord);
  }

  #ofTenant(tenantId: string) {
    return this.#sql.selectFrom('plugin_installations').selectAll().where('tenant_id', '=', tenantId);
  }

  #newestFirst(tenantId: string) {
    return this.#ofTenant(tenantId).orderBy('created_at', 'desc').orderBy('id', 'desc');
  }
}

function oldestFirst(a: InstallationRecord, b: InstallationRecord): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
