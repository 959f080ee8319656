import { type Kysely, sql } from 'kysely';
import type { SqlDialect } from './dialect.ts';
import { type IndexSpec, type TableSpec, type Tables, tables } from './schema.ts';

/**
 * Brings the database to the schema: creates what is missing, changes and drops nothing. A second run changes nothing.
 * Databases of the existing daemon may have further columns and tables; they stay. Nodes that start at once do it in turn.
 */
export async function migrate(dialect: SqlDialect): Promise<void> {
  await dialect.exclusively(async (kysely) => {
    const present = await dialect.presentSchema(kysely);
    for (const table of tables) {
      const columns = present.tables.get(table.name);
      if (columns === undefined) await createTable(dialect, kysely, table);
      else await addColumns(dialect, kysely, table, columns);
      for (const index of table.indexes) {
        if (!present.indexes.has(index.name)) await createIndex(dialect, kysely, table, index);
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
  const options = dialect.tableOptions;
  await (options === '' ? create : create.modifyEnd(sql.raw(options))).execute();
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

async function createIndex(
  dialect: SqlDialect,
  kysely: Kysely<Tables>,
  table: TableSpec,
  index: IndexSpec,
): Promise<void> {
  if (index.unique === 'constraint' && dialect.hasUniqueConstraints) {
    // As an index alone it would be in the way of the existing daemon, which looks for the constraint.
    await kysely.schema
      .alterTable(table.name)
      .addUniqueConstraint(index.name, [...index.columns])
      .execute();
    return;
  }
  const create = kysely.schema
    .createIndex(index.name)
    .on(table.name)
    .columns([...index.columns]);
  await (index.unique === undefined ? create : create.unique()).execute();
}
