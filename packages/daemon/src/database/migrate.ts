import { type Kysely, sql } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import { type TableSpec, type Tables, tables } from './schema.ts';

/**
 * Brings the database to the schema: creates what is missing, changes and drops nothing. A second run changes nothing.
 * Databases of the existing daemon may have further columns and tables; they stay.
 */
export async function migrate(dialect: SqlDialect): Promise<void> {
  await dialect.exclusively(async (kysely) => {
    const existing = new Map(
      (await kysely.introspection.getTables()).map((table) => [
        table.name,
        new Set(table.columns.map((column) => column.name)),
      ]),
    );
    const indexes = await dialect.indexNames(kysely);
    for (const table of tables) {
      const columns = existing.get(table.name);
      if (columns === undefined) await createTable(dialect, kysely, table);
      else await addColumns(dialect, kysely, table, columns);
      for (const index of table.indexes) {
        if (indexes.has(index.name)) continue;
        const create = kysely.schema
          .createIndex(index.name)
          .on(table.name)
          .columns([...index.columns]);
        await (index.unique === true ? create.unique() : create).execute();
      }
    }
  });
}

async function createTable(dialect: SqlDialect, kysely: Kysely<Tables>, table: TableSpec): Promise<void> {
  let create = kysely.schema.createTable(table.name);
  for (const [name, column] of Object.entries(table.columns)) {
    create = create.addColumn(name, sql.raw(dialect.columnType(column.kind)), (definition) => {
      let built = column.kind === 'id' ? definition.primaryKey().notNull() : definition;
      if (column.notNull === true) built = built.notNull();
      return column.default === undefined ? built : built.defaultTo(column.default);
    });
  }
  await create.execute();
}

async function addColumns(
  dialect: SqlDialect,
  kysely: Kysely<Tables>,
  table: TableSpec,
  present: ReadonlySet<string>,
): Promise<void> {
  for (const [name, column] of Object.entries(table.columns)) {
    if (present.has(name)) continue;
    // Never NOT NULL: the rows that are there have no value for it.
    await kysely.schema
      .alterTable(table.name)
      .addColumn(name, sql.raw(dialect.columnType(column.kind)), (definition) =>
        column.default === undefined ? definition : definition.defaultTo(column.default),
      )
      .execute();
  }
}
