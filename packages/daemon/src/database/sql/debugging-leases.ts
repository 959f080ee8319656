import type { SqlDialect } from '../dialect.ts';
import type { InstallationRecord } from '../records.ts';
import type { DebuggingLeases, Lease } from '../repositories/index.ts';
import { type Sql, type SqlContext, type Tx, timeValue } from './context.ts';
import { deadline } from './leases.ts';
import { installationRecord, newTimes, now } from './rows.ts';

const dayMs = 24 * 3_600_000;

export class SqlDebuggingLeases implements DebuggingLeases {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async take(installationId: string, lease: Lease): Promise<void> {
    await this.#dialect.transaction((tx) => takeLease(this.#dialect, tx, installationId, lease));
  }

  async renew(lease: Lease): Promise<void> {
    await this.#sql
      .updateTable('debugging_leases')
      .set({ deadline: deadline(this.#dialect, lease), updated_at: now() })
      .where('owner', '=', lease.owner)
      .execute();
  }

  async abandoned(): Promise<readonly InstallationRecord[]> {
    const believedUntil = new Date(Date.now() - (this.#dialect.soleUser ? 0 : dayMs));
    const rows = await this.#sql
      .selectFrom('plugin_installations as installation')
      .leftJoin('debugging_leases as lease', 'lease.id', 'installation.id')
      .selectAll('installation')
      .where('installation.runtime_type', '=', 'remote')
      .where((where) =>
        where.or([
          where('lease.deadline', '<=', this.#dialect.clockMs),
          where.and([
            where('lease.id', 'is', null),
            where.or([
              where('installation.updated_at', 'is', null),
              where('installation.updated_at', '<=', timeValue(believedUntil)),
            ]),
          ]),
        ]),
      )
      .execute();
    return rows.map(installationRecord);
  }
}

export async function takeLease(dialect: SqlDialect, tx: Tx, installationId: string, lease: Lease): Promise<void> {
  const held = { owner: lease.owner, deadline: deadline(dialect, lease) };
  const { columns } = newTimes();
  const insert = tx.insertInto('debugging_leases').values({ id: installationId, ...columns, ...held });
  const { numInsertedOrUpdatedRows } = await dialect.ignoringDuplicates(insert).executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return;
  await tx
    .updateTable('debugging_leases')
    .set({ ...held, updated_at: columns.updated_at })
    .where('id', '=', installationId)
    .execute();
}

export async function leaseOwner(tx: Tx, installationId: string): Promise<string | undefined> {
  const lease = await tx
    .selectFrom('debugging_leases')
    .select('owner')
    .where('id', '=', installationId)
    .executeTakeFirst();
  return lease?.owner;
}
