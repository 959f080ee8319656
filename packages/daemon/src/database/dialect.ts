import type { InsertQueryBuilder, Kysely, RawBuilder, SelectQueryBuilder, Transaction } from 'kysely';
import type { ColumnKind, Tables } from './schema.ts';

/** Tables with the names of their columns, and the names of all indexes and unique constraints. */
export interface PresentSchema {
  readonly tables: ReadonlyMap<string, ReadonlySet<string>>;
  readonly indexes: ReadonlySet<string>;
}

/**
 * What differs between databases, for one of them. A driver folder makes one; the repositories in `sql/` use nothing
 * else that is particular to a database.
 */
export interface SqlDialect {
  readonly name: string;
  /** Where it is, for people: a file, or host and port. Without user and password. */
  readonly place: string;
  /**
   * No other process can have it open. Then whatever a process of the past held is free at once; elsewhere a lease has to
   * run out first.
   */
  readonly soleUser: boolean;
  /** Every failure of its queries rejects with `DatabaseError`. Values are text, numbers, booleans, dates and null. */
  readonly kysely: Kysely<Tables>;
  /** Milliseconds of the epoch by the clock of the database: what nodes compare must come from one clock. */
  readonly clockMs: RawBuilder<number>;
  /** SQL type of a column. */
  columnType(kind: ColumnKind): string;
  /** What `create table` ends with. */
  readonly tableOptions: string;
  /** Whether a unique constraint is something else than a unique index of the same name. */
  readonly hasUniqueConstraints: boolean;
  /** The same insert, doing nothing where a unique key exists; `numInsertedOrUpdatedRows` counts what was inserted. */
  ignoringDuplicates<T extends keyof Tables, O>(
    insert: InsertQueryBuilder<Tables, T, O>,
  ): InsertQueryBuilder<Tables, T, O>;
  /** The same select, locking its rows until the transaction ends, where rows can be locked. */
  lockingRows<T extends keyof Tables, O>(select: SelectQueryBuilder<Tables, T, O>): SelectQueryBuilder<Tables, T, O>;
  /**
   * All or nothing: each statement sees what was committed before it. Deadlocks, serialization failures, keys that somebody else
   * took meanwhile, and connections that broke before the commit are begun anew, a few times; so `work` may run more than once
   * and changes nothing but the database.
   */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Runs the migration with every other daemon kept out. */
  exclusively(migration: (kysely: Kysely<Tables>) => Promise<void>): Promise<void>;
  /** What there is, of the schema that tables without a qualifier are in. */
  presentSchema(kysely: Kysely<Tables>): Promise<PresentSchema>;
}
