import type { SqlDialect } from '../dialect.ts';
import { derivedId } from '../ids.ts';
import type { ReadmeRecord } from '../records.ts';
import type { Readmes } from '../repositories/index.ts';
import type { Sql, SqlContext } from './context.ts';
import { newTimes, readmeRecord } from './rows.ts';

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
      .orderBy('created_at')
      .orderBy('language')
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
    await this.#dialect.transaction(async (tx) => {
      const present = await tx
        .selectFrom('plugin_readme_records')
        .select('id')
        .where('plugin_unique_identifier', '=', uniqueIdentifier)
        .limit(1)
        .executeTakeFirst();
      if (present !== undefined) return;
      const times = newTimes().columns;
      // There is no unique key but the primary one: whoever else stores them now stores the same rows.
      const insert = tx.insertInto('plugin_readme_records').values(
        readmes.map(({ language, content }) => ({
          id: derivedId('plugin_readme_records', uniqueIdentifier, language),
          ...times,
          plugin_unique_identifier: uniqueIdentifier,
          language,
          content,
        })),
      );
      await this.#dialect.ignoringDuplicates(insert).execute();
    });
  }
}
