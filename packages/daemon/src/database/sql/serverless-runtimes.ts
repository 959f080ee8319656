import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { BaseRecord, ServerlessRuntimeRecord } from '../records.ts';
import type { ServerlessRuntimes } from '../repositories/index.ts';
import type { RowCaches, Sql, SqlContext } from './context.ts';
import { now, serverlessRuntimeRecord } from './rows.ts';

export class SqlServerlessRuntimes implements ServerlessRuntimes {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;
  readonly #cache: RowCaches['functions'];

  constructor({ sql, dialect, caches }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
    this.#cache = caches.functions;
  }

  find(uniqueIdentifier: string): Promise<ServerlessRuntimeRecord | undefined> {
    return this.#cache.get(uniqueIdentifier, async () => {
      const row = await this.#sql
        .selectFrom('serverless_runtimes')
        .selectAll()
        .where('plugin_unique_identifier', '=', uniqueIdentifier)
        .executeTakeFirst();
      return row && serverlessRuntimeRecord(row);
    });
  }

  peek(uniqueIdentifier: string): ServerlessRuntimeRecord | undefined {
    return this.#cache.peek(uniqueIdentifier);
  }

  async upsert(runtime: Omit<ServerlessRuntimeRecord, keyof BaseRecord>): Promise<void> {
    const { plugin_unique_identifier, ...rest } = runtime;
    await this.#dialect.transaction(async (tx) => {
      const time = now();
      const insert = tx
        .insertInto('serverless_runtimes')
        .values({ id: newId(), created_at: time, updated_at: time, plugin_unique_identifier, ...rest });
      const { numInsertedOrUpdatedRows } = await this.#dialect.ignoringDuplicates(insert).executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 1n) return;
      await tx
        .updateTable('serverless_runtimes')
        .set({ ...rest, updated_at: time })
        .where('plugin_unique_identifier', '=', plugin_unique_identifier)
        .execute();
    });
    this.#cache.invalidate(plugin_unique_identifier);
  }

  async point(uniqueIdentifier: string, to: { readonly url: string; readonly name: string }): Promise<boolean> {
    const { numUpdatedRows } = await this.#sql
      .updateTable('serverless_runtimes')
      .set({ function_url: to.url, function_name: to.name, updated_at: now() })
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    this.#cache.invalidate(uniqueIdentifier);
    return numUpdatedRows > 0n;
  }

  async delete(uniqueIdentifier: string): Promise<boolean> {
    const { numDeletedRows } = await this.#sql
      .deleteFrom('serverless_runtimes')
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    this.#cache.invalidate(uniqueIdentifier);
    return numDeletedRows > 0n;
  }
}
