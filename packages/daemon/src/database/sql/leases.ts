import { type RawBuilder, sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import type { Lease } from '../repositories/index.ts';

/** When a lease that is taken or renewed now runs out. */
export const deadline = ({ clockMs }: SqlDialect, { durationMs }: Lease): RawBuilder<number> =>
  sql<number>`${clockMs} + ${sql.lit(Math.round(durationMs))}`;
