import type { InsertQueryBuilder, Kysely, SelectQueryBuilder } from 'kysely';
import type { ColumnKind, Tables } from './schema.ts';

/**
 * What differs between databases, for one of them. A driver folder makes one; the repositories in `sql/` use nothing
 * else that is particular to a database.
 */
export interface SqlDialect {
  readonly name: string;
  /** Every failure of its queries rejects with `DatabaseError`. */
  readonly kysely: Kysely<Tables>;
  /** SQL type of a column. */
  columnType(kind: ColumnKind): string;
  boolean(value: boolean): boolean | number;
  /** The same insert, doing nothing where a unique key exists. */
  ignoringDuplicates<T extends keyof Tables, O>(
    insert: InsertQueryBuilder<Tables, T, O>,
  ): InsertQueryBuilder<Tables, T, O>;
  /** The same select, locking its rows until the transaction ends, where rows can be locked. */
  lockingRows<T extends keyof Tables, O>(select: SelectQueryBuilder<Tables, T, O>): SelectQueryBuilder<Tables, T, O>;
  /** Runs the migration with every other daemon kept out. */
  exclusively(migration: (kysely: Kysely<Tables>) => Promise<void>): Promise<void>;
  /** Names of the indexes there are. */
  indexNames(kysely: Kysely<Tables>): Promise<ReadonlySet<string>>;
}
