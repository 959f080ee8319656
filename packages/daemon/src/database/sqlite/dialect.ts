import { statSync } from 'node:fs';
import {
  type InsertQueryBuilder,
  Kysely,
  type SelectQueryBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type Transaction,
} from 'kysely';
import { DatabaseError } from '../database-error.ts';
import type { PresentSchema, SqlDialect } from '../dialect.ts';
import type { ColumnKind, Tables } from '../schema.ts';
import { inTransaction } from '../transactions.ts';
import { NodeSqliteDriver, type SqliteFileOptions } from './driver.ts';

/** Up to this size the whole file is examined at start; that takes well under a tenth of a second. */
const examinedBytes = 32 * 1024 * 1024;

/**
 * Opens the file, creating it when missing.
 * @throws DatabaseError when it cannot be used
 */
export async function openSqlite(options: SqliteFileOptions): Promise<SqlDialect> {
  const dialect = new SqliteDialect(options);
  try {
    await examine(dialect.kysely, options.file);
    return dialect;
  } catch (error) {
    await dialect.kysely.destroy();
    throw error;
  }
}

async function examine(kysely: Kysely<Tables>, file: string): Promise<void> {
  await sql`select 1 from sqlite_schema limit 1`.execute(kysely);
  if (file === ':memory:' || statSync(file).size > examinedBytes) return;
  const { rows } = await sql<{ quick_check: string }>`pragma quick_check(1)`.execute(kysely);
  const verdict = rows[0]?.quick_check;
  if (verdict === 'ok') return;
  throw new DatabaseError('corrupt', `the database ${file} is damaged: ${verdict}`, {
    cause: undefined,
    remedy: `put a backup in its place, or move ${file} with its -wal and -shm files away to start with an empty database`,
  });
}

class SqliteDialect implements SqlDialect {
  readonly name = 'sqlite';
  readonly place: string;
  readonly soleUser: boolean;
  readonly kysely: Kysely<Tables>;
  readonly clockMs = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
  readonly tableOptions = '';
  readonly hasUniqueConstraints = false;

  constructor(options: SqliteFileOptions) {
    this.place = options.file;
    // The daemon holds the lock of its data directory; its own workers are told of each other's death.
    this.soleUser = options.shared === undefined;
    this.kysely = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => new NodeSqliteDriver(options),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    });
  }

  columnType(kind: ColumnKind): string {
    // Lengths are not enforced by SQLite, but a reader of the schema sees what the column is for.
    if (typeof kind === 'object') return `varchar(${kind.varchar})`;
    return { id: 'text', uuid: 'text', time: 'text', text: 'text', bigint: 'integer', boolean: 'integer' }[kind];
  }

  ignoringDuplicates<T extends keyof Tables, O>(
    insert: InsertQueryBuilder<Tables, T, O>,
  ): InsertQueryBuilder<Tables, T, O> {
    return insert.onConflict((conflict) => conflict.doNothing());
  }

  lockingRows<T extends keyof Tables, O>(select: SelectQueryBuilder<Tables, T, O>): SelectQueryBuilder<Tables, T, O> {
    // A writing transaction has the whole file to itself.
    return select;
  }

  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return inTransaction(this.kysely, work);
  }

  async exclusively(migration: (kysely: Kysely<Tables>) => Promise<void>): Promise<void> {
    await this.kysely.transaction().execute(migration);
  }

  async presentSchema(kysely: Kysely<Tables>): Promise<PresentSchema> {
    const { rows } = await sql<{ name: string }>`select name from sqlite_schema where type = 'index'`.execute(kysely);
    const tables = await kysely.introspection.getTables();
    return {
      tables: new Map(tables.map((table) => [table.name, new Set(table.columns.map((column) => column.name))])),
      indexes: new Set(rows.map((row) => row.name)),
    };
  }
}
