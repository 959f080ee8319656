import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { ReadmeRecord } from '../records.ts';
import type { Readmes } from '../repositories.ts';
import type { Sql, SqlContext } from './context.ts';
import { now, readmeRecord } from './rows.ts';

export class SqlReadmes implements Readmes {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async list(uniqueIdentifier: string): Promise<readonly ReadmeRecord[]> {
    const rows = await this.#sql
      .selectFrom('plugin_readme_records')
      .selectAll()
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .orderBy('id')
      .execute();
    const languages = new Set<string>();
    return rows.map(readmeRecord).filter(({ language }) => !languages.has(language) && languages.add(language));
  }

  async insertIfAbsent(
    uniqueIdentifier: string,
    readmes: readonly { readonly language: string; readonly content: string }[],
  ): Promise<void> {
    if (readmes.length === 0) return;
    await this.#sql.transaction().execute(async (tx) => {
      const present = tx
        .selectFrom('plugin_readme_records')
        .select('id')
        .where('plugin_unique_identifier', '=', uniqueIdentifier)
        .limit(1);
      if ((await this.#dialect.lockingRows(present).executeTakeFirst()) !== undefined) return;
      const time = now();
      await tx
        .insertInto('plugin_readme_records')
        .values(
          readmes.map(({ language, content }) => ({
            id: newId(),
            created_at: time,
            updated_at: time,
            plugin_unique_identifier: uniqueIdentifier,
            language,
            content,
          })),
        )
        .execute();
    });
  }
}
