import type { SqlDialect } from '../dialect.ts';
import { derivedId } from '../ids.ts';
import { LeaseLost } from '../lease-lost.ts';
import type { Fence, JobLeases, Lease } from '../repositories/index.ts';
import { type Sql, type SqlContext, type Tx, timeValue } from './context.ts';
import { deadline } from './leases.ts';
import { newTimes, now } from './rows.ts';

const dayMs = 24 * 3_600_000;
const idOf = (jobId: string): string => derivedId('job_leases', jobId);

export class SqlJobLeases implements JobLeases {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async take(jobId: string, lease: Lease): Promise<number | undefined> {
    const id = idOf(jobId);
    return await this.#dialect.transaction(async (tx) => {
      const held = { owner: lease.owner, deadline: deadline(this.#dialect, lease) };
      const { columns } = newTimes();
      const insert = tx.insertInto('job_leases').values({ id, ...columns, ...held, attempts: 1 });
      const { numInsertedOrUpdatedRows } = await this.#dialect.ignoringDuplicates(insert).executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 1n) return 1;
      const select = tx
        .selectFrom('job_leases')
        .select(['attempts'])
        .where('id', '=', id)
        .where('deadline', '<=', this.#dialect.clockMs);
      const free = await this.#dialect.lockingRows(select).executeTakeFirst();
      if (free === undefined) return undefined;
      const attempts = Number(free.attempts) + 1;
      await tx
        .updateTable('job_leases')
        .set({ ...held, attempts, updated_at: columns.updated_at })
        .where('id', '=', id)
        .execute();
      return attempts;
    });
  }

  async renew(jobId: string, lease: Lease): Promise<boolean> {
    const { numUpdatedRows } = await this.#sql
      .updateTable('job_leases')
      .set({ deadline: deadline(this.#dialect, lease), updated_at: now() })
      .where('id', '=', idOf(jobId))
      .where('owner', '=', lease.owner)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async end({ jobId, owner }: Fence): Promise<void> {
    await this.#sql.deleteFrom('job_leases').where('id', '=', idOf(jobId)).where('owner', '=', owner).execute();
  }

  async handOver({ jobId, owner }: Fence): Promise<void> {
    await this.#sql
      .updateTable('job_leases')
      .set(({ eb }) => ({ deadline: 0, attempts: eb('attempts', '-', 1), updated_at: now() }))
      .where('id', '=', idOf(jobId))
      .where('owner', '=', owner)
      .execute();
  }

  async forgetOld(): Promise<void> {
    await this.#sql
      .deleteFrom('job_leases')
      .where('deadline', '<=', this.#dialect.clockMs)
      .where('updated_at', '<=', timeValue(new Date(Date.now() - dayMs)))
      .execute();
  }
}

/**
 * Makes a transaction of a job depend on its lease: nobody takes it before the commit.
 * @throws LeaseLost when somebody else has taken it
 */
export async function requireFence(dialect: SqlDialect, tx: Tx, fence: Fence | undefined): Promise<void> {
  if (fence === undefined) return;
  const select = tx.selectFrom('job_leases').select('owner').where('id', '=', idOf(fence.jobId));
  const held = await dialect.lockingRows(select).executeTakeFirst();
  if (held?.owner !== fence.owner) throw new LeaseLost(fence.jobId);
}
