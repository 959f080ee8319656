import type { Page, ProjectionKind, ProjectionRecord } from '../records.ts';
import type { ModelBinding, Projections } from '../repositories/index.ts';
import { inLists, offsetOf, type Sql, type SqlContext } from './context.ts';
import { projectionRecord, projectionTables } from './rows.ts';

export class SqlProjections implements Projections {
  readonly #sql: Sql;

  constructor({ sql }: SqlContext) {
    this.#sql = sql;
  }

  async list(kind: ProjectionKind, tenantId: string, page: Page): Promise<readonly ProjectionRecord[]> {
    const rows = await this.#ofTenant(kind, tenantId)
      .orderBy('id')
      .limit(page.pageSize)
      .offset(offsetOf(page))
      .execute();
    return rows.map(projectionRecord);
  }

  async count(kind: ProjectionKind, tenantId: string): Promise<number> {
    const { count } = await this.#sql
      .selectFrom(projectionTables[kind])
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('tenant_id', '=', tenantId)
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  async find(kind: ProjectionKind, tenantId: string, pluginId: string): Promise<ProjectionRecord | undefined> {
    const row = await this.#ofTenant(kind, tenantId)
      .where('plugin_id', '=', pluginId)
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    return row && projectionRecord(row);
  }

  async findByPluginIds(
    kind: ProjectionKind,
    tenantId: string,
    pluginIds: readonly string[],
  ): Promise<readonly ProjectionRecord[]> {
    const rows = await inLists(pluginIds, (list) =>
      this.#ofTenant(kind, tenantId).where('plugin_id', 'in', list).orderBy('id').execute(),
    );
    return rows.map(projectionRecord);
  }

  async pluginIds(kind: ProjectionKind, tenantId: string): Promise<readonly string[]> {
    const rows = await this.#sql
      .selectFrom(projectionTables[kind])
      .select('plugin_id')
      .where('tenant_id', '=', tenantId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .execute();
    return [...new Set(rows.map((row) => row.plugin_id ?? '').filter((pluginId) => pluginId !== ''))];
  }

  async modelBindings(tenantId: string): Promise<readonly ModelBinding[]> {
    const rows = await this.#sql
      .selectFrom('ai_model_installations as model')
      .innerJoin('plugin_installations as installation', (join) =>
        join
          .onRef('installation.tenant_id', '=', 'model.tenant_id')
          .onRef('installation.plugin_id', '=', 'model.plugin_id')
          .onRef('installation.plugin_unique_identifier', '=', 'model.plugin_unique_identifier'),
      )
      .select(['model.plugin_id', 'model.provider', 'model.plugin_unique_identifier', 'installation.runtime_type'])
      .where('model.tenant_id', '=', tenantId)
      .orderBy('installation.created_at', 'desc')
      .orderBy('installation.id', 'desc')
      .execute();
    const bindings = new Map<string, ModelBinding>();
    for (const { runtime_type, plugin_id, plugin_unique_identifier, provider } of rows) {
      // What is joined by them has them.
      if (plugin_id === null || plugin_unique_identifier === null) continue;
      const key = `${plugin_id}\0${provider}`;
      const type = runtime_type === 'remote' || runtime_type === 'serverless' ? runtime_type : 'local';
      if (!bindings.has(key)) bindings.set(key, { plugin_id, provider, plugin_unique_identifier, runtime_type: type });
    }
    return [...bindings.values()];
  }

  #ofTenant(kind: ProjectionKind, tenantId: string) {
    return this.#sql.selectFrom(projectionTables[kind]).selectAll().where('tenant_id', '=', tenantId);
  }
}
