import {
  type InsertQueryBuilder,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  type SelectQueryBuilder,
  sql,
  type Transaction,
} from 'kysely';
import { DatabaseError } from '../database-error.ts';
import type { PresentSchema, SqlDialect } from '../dialect.ts';
import type { ColumnKind, Tables } from '../schema.ts';
import { connect, PooledDriver, type ServerOptions } from '../servers/index.ts';
import { inTransaction } from '../transactions.ts';
import { openPool } from './driver.ts';

/** How long a node waits for another one to migrate: so often so many seconds, each shorter than what a statement may take. */
const migrationWaits = 12;
const migrationWaitSeconds = 10;

/** Text is compared as it is: with the usual collations `A` would be `a`. */
const characters = 'character set utf8mb4 collate utf8mb4_bin';

/**
 * Connects, creating the database when it is missing and `create` says so.
 * @throws DatabaseError when it cannot be used
 */
export const openMysql = (options: ServerOptions, create: boolean): Promise<SqlDialect> =>
  connect(
    {
      dialect: (settled) => new MysqlDialect(settled),
      outside: (settled) => openPool(settled, null),
      createDatabase: (name) => `create database if not exists \`${name.replaceAll('`', '``')}\` ${characters}`,
      wasQuicker: () => false,
    },
    options,
    create,
  );

class MysqlDialect implements SqlDialect {
  readonly name = 'mysql';
  readonly place: string;
  readonly soleUser = false;
  readonly kysely: Kysely<Tables>;
  readonly clockMs = sql<number>`(timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000)`;
  readonly tableOptions = characters;
  readonly hasUniqueConstraints = false;
  /** The lock is one of the whole server, and its names are short. */
  readonly #migrationLock: string;

  constructor(options: ServerOptions) {
    this.place = `${options.host}:${options.port}`;
    this.#migrationLock = `migrate ${options.database}`.slice(0, 64);
    this.kysely = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new MysqlAdapter(),
        createDriver: () => new PooledDriver(() => openPool(options)),
        createIntrospector: (db) => new MysqlIntrospector(db),
        createQueryCompiler: () => new MysqlQueryCompiler(),
      },
    });
  }

  columnType(kind: ColumnKind): string {
    if (typeof kind === 'object') return `varchar(${kind.varchar})`;
    return {
      id: 'char(36)',
      uuid: 'char(36)',
      time: 'datetime(3)',
      text: 'longtext',
      bigint: 'bigint',
      boolean: 'boolean',
    }[kind];
  }

  ignoringDuplicates<T extends keyof Tables, O>(
    insert: InsertQueryBuilder<Tables, T, O>,
  ): InsertQueryBuilder<Tables, T, O> {
    // `insert ignore` would also cut what is too long.
    return insert.modifyEnd(sql`on duplicate key update id = id`);
  }

  lockingRows<T extends keyof Tables, O>(select: SelectQueryBuilder<Tables, T, O>): SelectQueryBuilder<Tables, T, O> {
    return select.forUpdate();
  }

  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
    return inTransaction(this.kysely, work);
  }

  async exclusively(migration: (kysely: Kysely<Tables>) => Promise<void>): Promise<void> {
    // Statements that change the schema commit; what is wanted of the transaction is that it keeps its session, which holds the lock.
    await this.kysely.transaction().execute(async (session) => {
      if (!(await this.#locked(session))) {
        throw new DatabaseError('busy', `another node has been migrating the database at ${this.place} for long`, {
          cause: undefined,
          remedy: 'wait for it, or end it, and start again',
        });
      }
      try {
        await migration(session);
      } finally {
        await sql`select release_lock(${this.#migrationLock})`.execute(session);
      }
    });
  }

  async #locked(session: Transaction<Tables>): Promise<boolean> {
    for (let wait = 0; wait < migrationWaits; wait++) {
      const { rows } = await sql<{ held: number | null }>`
        select get_lock(${this.#migrationLock}, ${migrationWaitSeconds}) as held`.execute(session);
      if (rows[0]?.held === 1) return true;
    }
    return false;
  }

  async presentSchema(kysely: Kysely<Tables>): Promise<PresentSchema> {
    const columns = await sql<{ table: string; column: string }>`
      select table_name as ${sql.id('table')}, column_name as ${sql.id('column')}
      from information_schema.columns where table_schema = database()`.execute(kysely);
    const indexes = await sql<{ name: string }>`
      select distinct index_name as name from information_schema.statistics
      where table_schema = database()`.execute(kysely);
    const tables = new Map<string, Set<string>>();
    for (const { table, column } of columns.rows) tables.set(table, (tables.get(table) ?? new Set()).add(column));
    return { tables, indexes: new Set(indexes.rows.map((row) => row.name)) };
  }
}
