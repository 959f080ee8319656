import type { EndpointRecord, Page } from '../records.ts';
import type { Endpoints } from '../repositories/index.ts';
import { offsetOf, type RowCaches, type Sql, type SqlContext } from './context.ts';
import { endpointRecord } from './rows.ts';

export class SqlEndpoints implements Endpoints {
  readonly #sql: Sql;
  readonly #cache: RowCaches['endpoints'];

  constructor({ sql, caches }: SqlContext) {
    this.#sql = sql;
    this.#cache = caches.endpoints;
  }

  findByHookId(hookId: string): Promise<EndpointRecord | undefined> {
    return this.#cache.get(hookId, async () => {
      const row = await this.#sql.selectFrom('endpoints').selectAll().where('hook_id', '=', hookId).executeTakeFirst();
      return row && endpointRecord(row);
    });
  }

  async find(tenantId: string, endpointId: string): Promise<EndpointRecord | undefined> {
    const row = await this.#ofTenant(tenantId).where('id', '=', endpointId).executeTakeFirst();
    return row && endpointRecord(row);
  }

  async listByTenant(tenantId: string, page: Page): Promise<readonly EndpointRecord[]> {
    const rows = await this.#newestFirst(tenantId).limit(page.pageSize).offset(offsetOf(page)).execute();
    return rows.map(endpointRecord);
  }

  async listByPlugin(tenantId: string, pluginId: string, page: Page): Promise<readonly EndpointRecord[]> {
    const rows = await this.#newestFirst(tenantId)
      .where('plugin_id', '=', pluginId)
      .limit(page.pageSize)
      .offset(offsetOf(page))
      .execute();
    return rows.map(endpointRecord);
  }

  #ofTenant(tenantId: string) {
    return this.#sql.selectFrom('endpoints').selectAll().where('tenant_id', '=', tenantId);
  }

  #newestFirst(tenantId: string) {
    return this.#ofTenant(tenantId).orderBy('created_at', 'desc').orderBy('id', 'desc');
  }
}
