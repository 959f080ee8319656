import {
  type InsertQueryBuilder,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type SelectQueryBuilder,
  sql,
  type Transaction,
} from 'kysely';
import type { PresentSchema, SqlDialect } from '../dialect.ts';
import type { ColumnKind, Tables } from '../schema.ts';
import { connect, PooledDriver, type ServerOptions } from '../servers/index.ts';
import { inTransaction } from '../transactions.ts';
import { openPool } from './driver.ts';

/** Of the migration; any number that nobody else uses. */
const migrationLock = sql.lit(7_265_104_733);
const isolation = 'read committed';

/**
 * Connects, creating the database when it is missing and `create` says so.
 * @throws DatabaseError when it cannot be used
 */
export const openPostgresql = (options: ServerOptions, create: boolean): Promise<SqlDialect> =>
  connect(
    {
      dialect: (settled) => new PostgresqlDialect(settled),
      outside: (settled) => openPool(settled, settled.defaultDatabase),
      createDatabase: (name) => `create database "${name.replaceAll('"', '""')}"`,
      // duplicate_database, or unique_violation in its catalogue.
      wasQuicker: (cause) => cause instanceof Error && 'code' in cause && /^(42P04|23505)$/.test(String(cause.code)),
    },
    options,
    create,
  );

class PostgresqlDialect implements SqlDialect {
  readonly name = 'postgresql';
  readonly place: string;
  readonly soleUser = false;
  readonly kysely: Kysely<Tables>;
  readonly clockMs = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;
  readonly tableOptions = '';
  readonly hasUniqueConstraints = true;

  constructor(options: ServerOptions) {
    this.place = `${options.host}:${options.port}`;
    this.kysely = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new PooledDriver(() => openPool(options)),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresQueryCompiler(),
      },
    });
  }

  columnType(kind: ColumnKind): string {
    if (typeof kind === 'object') return `varchar(${kind.varchar})`;
    return { id: 'uuid', uuid: 'uuid', time: 'timestamptz', text: 'text', bigint: 'bigint', boolean: 'boolean' }[kind];
  }

  ignoringDuplicates<T extends keyof Tables, O>(
    insert: InsertQueryBuilder<Tables, T, O>,
  ): InsertQueryBuilder<Tables, T, O> {
    return insert.onConflict((conflict) => conflict.doNothing());
  }

  lockingRows<T extends keyof Tables, O>(select: SelectQueryBuilder<Tables, T, O>): SelectQueryBuilder<Tables, T, O> {
    return select.forUpdate();
  }

  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return inTransaction(this.kysely, work, { isolation });
  }

  async exclusively(migration: (kysely: Kysely<Tables>) => Promise<void>): Promise<void> {
    await this.transaction(async (tx) => {
      // Of the transaction: PgBouncer gives the session to others in between.
      await sql`select pg_advisory_xact_lock(${migrationLock})`.execute(tx);
      await migration(tx);
    });
  }

  async presentSchema(kysely: Kysely<Tables>): Promise<PresentSchema> {
    const columns = await sql<{ table: string; column: string }>`
      select class.relname as "table", attribute.attname as "column"
      from pg_catalog.pg_class class
      join pg_catalog.pg_namespace namespace on namespace.oid = class.relnamespace
      join pg_catalog.pg_attribute attribute on attribute.attrelid = class.oid
      where namespace.nspname = current_schema() and class.relkind in ('r', 'p')
        and attribute.attnum > 0 and not attribute.attisdropped`.execute(kysely);
    const indexes = await sql<{ name: string }>`
      select class.relname as name
      from pg_catalog.pg_class class
      join pg_catalog.pg_namespace namespace on namespace.oid = class.relnamespace
      where namespace.nspname = current_schema() and class.relkind in ('i', 'I')`.execute(kysely);
    const tables = new Map<string, Set<string>>();
    for (const { table, column } of columns.rows) tables.set(table, (tables.get(table) ?? new Set()).add(column));
    return { tables, indexes: new Set(indexes.rows.map((row) => row.name)) };
  }
}
