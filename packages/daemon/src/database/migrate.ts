import { type Kysely, sql } from 'kysely';
import { DatabaseError } from './database-error.ts';
import type { SqlDialect } from './dialect.ts';
import { type IndexSpec, type TableSpec, type Tables, tables } from './schema.ts';

/** A unique key that could not be made: rows of former times are alike in it. */
export interface MissingKey {
  readonly index: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/**
 * Brings the database to the schema: creates what is missing, changes and drops nothing. A second run changes nothing.
 * Databases of the existing daemon may have further columns and tables; they stay. Nodes that start at once do it in turn.
 * Versions of it from before a unique key have left rows that are alike; which of them counts is not ours to decide, and they
 * are no reason not to start: the key is left out, and made by the first start after they are gone.
 */
export async function migrate(dialect: SqlDialect): Promise<readonly MissingKey[]> {
  const missing: MissingKey[] = [];
  await dialect.exclusively(async (kysely) => {
    // A transaction that is begun anew looks anew.
    missing.length = 0;
    const present = await dialect.presentSchema(kysely);
    for (const table of tables) {
      const columns = present.tables.get(table.name);
      if (columns === undefined) await permitted(`table ${table.name}`, createTable(dialect, kysely, table));
      else await addColumns(dialect, kysely, table, columns);
      for (const index of table.indexes) {
        if (present.indexes.has(index.name)) continue;
        // Looked at before: a statement that fails ends a transaction of PostgreSQL.
        const alike = columns !== undefined && index.unique !== undefined && (await hasAlike(kysely, table, index));
        if (alike) missing.push({ index: index.name, table: table.name, columns: index.columns });
        else await permitted(`index ${index.name} on ${table.name}`, createIndex(dialect, kysely, table, index));
      }
    }
  });
  return missing;
}

/** Whether rows are alike in the columns of a unique key, as the database compares them. NULL is like nothing. */
async function hasAlike(kysely: Kysely<Tables>, table: TableSpec, { columns }: IndexSpec): Promise<boolean> {
  const keys = columns.map((column) => sql.ref(column));
  const told = sql.join(
    keys.map((key) => sql`${key} is not null`),
    sql` and `,
  );
  const { rows } = await sql`select 1 as alike from ${sql.table(table.name)} where ${told}
    group by ${sql.join(keys)} having count(*) > 1 limit 1`.execute(kysely);
  return rows.length > 0;
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
    const adding = kysely.schema
      .alterTable(table.name)
      .addColumn(name, sql.raw(dialect.columnType(column.kind)), (definition) =>
        column.default === undefined ? definition : definition.defaultTo(column.default),
      )
      .execute();
    await permitted(`column ${name} of ${table.name}`, adding);
  }
}

/** A user who may only read and write rows needs a schema that is whole, and has to hear what it lacks. */
async function permitted(what: string, creating: Promise<void>): Promise<void> {
  try {
    await creating;
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.failure !== 'denied') throw error;
    throw new DatabaseError('denied', `the ${what} is missing and cannot be created: ${error.message}`, {
      cause: error,
      remedy: `start the daemon once with a user who may create it, or ${error.remedy ?? 'create it by hand'}`,
    });
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
