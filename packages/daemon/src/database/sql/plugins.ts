import type { PluginRecord, RuntimeType } from '../records.ts';
import type { Plugins } from '../repositories/index.ts';
import { inLists, type Sql, type SqlContext } from './context.ts';
import { pluginRecord } from './rows.ts';

export class SqlPlugins implements Plugins {
  readonly #sql: Sql;

  constructor({ sql }: SqlContext) {
    this.#sql = sql;
  }

  async find(uniqueIdentifier: string): Promise<PluginRecord | undefined> {
    const row = await this.#sql
      .selectFrom('plugins')
      .selectAll()
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirst();
    return row && pluginRecord(row);
  }

  async findMany(uniqueIdentifiers: readonly string[]): Promise<ReadonlyMap<string, PluginRecord>> {
    const rows = await inLists(uniqueIdentifiers, (list) =>
      this.#sql.selectFrom('plugins').selectAll().where('plugin_unique_identifier', 'in', list).execute(),
    );
    return new Map(rows.map(pluginRecord).map((record) => [record.plugin_unique_identifier, record]));
  }

  async exists(uniqueIdentifier: string): Promise<boolean> {
    const row = await this.#sql
      .selectFrom('plugins')
      .select('id')
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirst();
    return row !== undefined;
  }

  async list(filter: { installType?: RuntimeType } = {}): Promise<readonly PluginRecord[]> {
    const all = this.#sql.selectFrom('plugins').selectAll().orderBy('id');
    const { installType } = filter;
    const rows = await (installType === undefined ? all : all.where('install_type', '=', installType)).execute();
    return rows.map(pluginRecord);
  }
}
