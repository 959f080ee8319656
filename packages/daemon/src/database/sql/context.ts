import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import type { Page } from '../records.ts';
import type { RowCaches } from '../row-caches.ts';
import type { Tables } from '../schema.ts';

export type Sql = Kysely<Tables>;
export type Tx = Transaction<Tables>;
export type { RowCaches };

export interface SqlContext {
  readonly sql: Sql;
  readonly dialect: SqlDialect;
  readonly caches: RowCaches;
}

/** A time to compare with: drivers take dates and deliver text. */
export const timeValue = (time: Date): RawBuilder<string> => sql<string>`${time}`;

export const installationKey = (tenantId: string, pluginId: string): string => `${tenantId}\0${pluginId}`;

export const offsetOf = ({ page, pageSize }: Page): number => Math.min((page - 1) * pageSize, Number.MAX_SAFE_INTEGER);

const longestList = 256;

/**
 * The distinct values in lists of at most 256, each filled up to a power of two by repeating its last value: however
 * many values callers bring, an IN clause has one of nine texts and its statement stays prepared.
 */
export function* listsOf(values: readonly string[]): Generator<readonly string[]> {
  const distinct = [...new Set(values)];
  for (let at = 0; at < distinct.length; at += longestList) {
    const list = distinct.slice(at, at + longestList);
    const last = list.at(-1);
    if (last === undefined) return;
    while ((list.length & (list.length - 1)) !== 0) list.push(last);
    yield list;
  }
}

/** Asks for any number of values with as many queries as that takes. */
export async function inLists<T>(
  values: readonly string[],
  query: (list: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const found: T[] = [];
  for (const list of listsOf(values)) found.push(...(await query(list)));
  return found;
}
