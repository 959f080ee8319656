import type { SqlDialect } from '../dialect.ts';
import { derivedId } from '../ids.ts';
import type { PluginNoteKind, PluginNotes } from '../repositories/index.ts';
import type { Sql, SqlContext } from './context.ts';
import { newTimes } from './rows.ts';

export class SqlPluginNotes implements PluginNotes {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async find(kind: PluginNoteKind, subject: string): Promise<string | undefined> {
    const row = await this.#sql
      .selectFrom('plugin_notes')
      .select('value')
      .where('id', '=', derivedId('plugin_notes', kind, subject))
      .executeTakeFirst();
    return row?.value ?? undefined;
  }

  async list(kind: PluginNoteKind): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#sql
      .selectFrom('plugin_notes')
      .select(['subject', 'value'])
      .where('kind', '=', kind)
      .orderBy('subject')
      .execute();
    return new Map(rows.map(({ subject, value }) => [subject ?? '', value ?? '']));
  }

  async write(kind: PluginNoteKind, subject: string, value: string): Promise<void> {
    const id = derivedId('plugin_notes', kind, subject);
    const { columns } = newTimes();
    await this.#dialect.transaction(async (tx) => {
      const insert = tx.insertInto('plugin_notes').values({ id, ...columns, kind, subject, value });
      const { numInsertedOrUpdatedRows } = await this.#dialect.ignoringDuplicates(insert).executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 1n) return;
      await tx
        .updateTable('plugin_notes')
        .set({ value, updated_at: columns.updated_at })
        .where('id', '=', id)
        .execute();
    });
  }

  async delete(kind: PluginNoteKind, subject: string): Promise<boolean> {
    const { numDeletedRows } = await this.#sql
      .deleteFrom('plugin_notes')
      .where('id', '=', derivedId('plugin_notes', kind, subject))
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }
}
