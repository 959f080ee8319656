import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { BaseRecord, ServerlessRuntimeRecord } from '../records.ts';
import type { ServerlessRuntimes } from '../repositories.ts';
import type { Sql, SqlContext } from './context.ts';
import { now, serverlessRuntimeRecord } from './rows.ts';

export class SqlServerlessRuntimes implements ServerlessRuntimes {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async find(uniqueIdentifier: string): Promise<ServerlessRuntimeRecord | undefined> {
    const row = await this.#sql
      .selectFrom('serverless_runtimes')
      .selectAll()
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirst();
    return row && serverlessRuntimeRecord(row);
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
  }

  async delete(uniqueIdentifier: string): Promise<boolean> {
    const { numDeletedRows } = await this.#sql
      .deleteFrom('serverless_runtimes')
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }
}
