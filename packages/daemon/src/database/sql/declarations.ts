import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { RuntimeType } from '../records.ts';
import type { Declarations } from '../repositories/index.ts';
import { StoredDeclaration } from '../stored-declaration.ts';
import { inLists, type RowCaches, type Sql, type SqlContext } from './context.ts';
import { newTimes, now } from './rows.ts';

type Wanted = { uniqueIdentifier: string; runtimeType?: RuntimeType };

export class SqlDeclarations implements Declarations {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;
  readonly #cache: RowCaches['declarations'];

  constructor({ sql, dialect, caches }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
    this.#cache = caches.declarations;
  }

  find(uniqueIdentifier: string, runtimeType?: RuntimeType): Promise<StoredDeclaration | undefined> {
    return this.#cache.get(uniqueIdentifier, async () => {
      const wanted = runtimeType === undefined ? { uniqueIdentifier } : { uniqueIdentifier, runtimeType };
      return (await this.#read([wanted])).get(uniqueIdentifier);
    });
  }

  async findMany(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, StoredDeclaration>> {
    const found = new Map<string, StoredDeclaration>();
    const missing: Wanted[] = [];
    for (const one of wanted) {
      const cached = this.#cache.peek(one.uniqueIdentifier);
      if (cached === undefined) missing.push(one);
      else found.set(one.uniqueIdentifier, cached);
    }
    if (missing.length === 0) return found;
    const reading = this.#read(missing);
    const reads = missing.map(async ({ uniqueIdentifier }) => {
      const read = await this.#cache.get(uniqueIdentifier, async () => (await reading).get(uniqueIdentifier));
      if (read !== undefined) found.set(uniqueIdentifier, read);
    });
    await Promise.all([reading, ...reads]);
    return found;
  }

  async insertIfAbsent(uniqueIdentifier: string, pluginId: string, json: string): Promise<boolean> {
    const insert = this.#sql.insertInto('plugin_declarations').values({
      id: newId(),
      ...newTimes().columns,
      plugin_unique_identifier: uniqueIdentifier,
      plugin_id: pluginId,
      declaration: json,
    });
    const { numInsertedOrUpdatedRows } = await this.#dialect.ignoringDuplicates(insert).executeTakeFirstOrThrow();
    this.#cache.invalidate(uniqueIdentifier);
    return numInsertedOrUpdatedRows === 1n;
  }

  async replace(uniqueIdentifier: string, json: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#sql
      .updateTable('plugin_declarations')
      .set({ declaration: json, updated_at: now() })
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    this.#cache.invalidate(uniqueIdentifier);
    return numUpdatedRows > 0n;
  }

  async delete(uniqueIdentifier: string): Promise<boolean> {
    const { numDeletedRows } = await this.#sql
      .deleteFrom('plugin_declarations')
      .where('plugin_unique_identifier', '=', uniqueIdentifier)
      .executeTakeFirstOrThrow();
    this.#cache.invalidate(uniqueIdentifier);
    return numDeletedRows > 0n;
  }

  async #read(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, StoredDeclaration>> {
    const identifiers = wanted.map((one) => one.uniqueIdentifier);
    const [uploaded, remote] = [await this.#uploaded(identifiers), await this.#remote(wanted)];
    const found = new Map<string, StoredDeclaration>();
    for (const { uniqueIdentifier, runtimeType } of wanted) {
      const [first, second] = runtimeType === 'remote' ? [remote, uploaded] : [uploaded, remote];
      const declaration = first.get(uniqueIdentifier) ?? second.get(uniqueIdentifier);
      if (declaration !== undefined) found.set(uniqueIdentifier, declaration);
    }
    return found;
  }

  async #uploaded(identifiers: readonly string[]): Promise<ReadonlyMap<string, StoredDeclaration>> {
    const rows = await inLists(identifiers, (list) =>
      this.#sql
        .selectFrom('plugin_declarations')
        .select(['plugin_unique_identifier', 'plugin_id', 'declaration as json'])
        .where('plugin_unique_identifier', 'in', list)
        .execute(),
    );
    return byIdentifier(rows);
  }

  async #remote(wanted: readonly Wanted[]): Promise<ReadonlyMap<string, StoredDeclaration>> {
    const identifiers = wanted.map((one) => one.uniqueIdentifier);
    const rows = await inLists(identifiers, (list) =>
      this.#sql
        .selectFrom('plugins')
        .select(['plugin_unique_identifier', 'plugin_id', 'remote_declaration as json'])
        .where('plugin_unique_identifier', 'in', list)
        .where('install_type', '=', 'remote')
        .execute(),
    );
    return byIdentifier(rows);
  }
}

function byIdentifier(
  rows: readonly { plugin_unique_identifier: string | null; plugin_id: string | null; json: string | null }[],
): ReadonlyMap<string, StoredDeclaration> {
  const found = new Map<string, StoredDeclaration>();
  for (const { plugin_unique_identifier: identifier, plugin_id, json } of rows) {
    if (identifier === null || json === null || json === '') continue;
    found.set(identifier, new StoredDeclaration(identifier, plugin_id ?? '', json));
  }
  return found;
}
