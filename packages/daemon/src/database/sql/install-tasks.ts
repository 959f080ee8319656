import type { SqlDialect } from '../dialect.ts';
import { newId } from '../ids.ts';
import type { InstallTaskRecord, Page } from '../records.ts';
import type {
  ExpiredTask,
  Fence,
  InstallTaskItemChange,
  InstallTasks,
  Lease,
  NewInstallTask,
  OpenItem,
  OpenTask,
} from '../repositories/index.ts';
import { listsOf, offsetOf, type Sql, type SqlContext, type Tx, timeValue } from './context.ts';
import { isUnfinished, statusFrom, storedItem, unfinished } from './install-task-items.ts';
import { dropLeases, save } from './install-task-writes.ts';
import { requireFence } from './job-leases.ts';
import { deadline } from './leases.ts';
import { installTaskRecord, newTimes, now } from './rows.ts';

/** The existing daemon gives up an installation after a quarter of an hour. */
const leaselessMs = 16 * 60_000;
export class SqlInstallTasks implements InstallTasks {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;

  constructor({ sql, dialect }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
  }

  async create({ tenantId, plugins, lease, work }: NewInstallTask): Promise<InstallTaskRecord> {
    const times = newTimes();
    const base = { id: newId(), ...times.columns };
    const row = {
      ...base,
      status: 'running',
      tenant_id: tenantId,
      total_plugins: plugins.length,
      completed_plugins: 0,
      plugins: JSON.stringify(plugins.map(storedItem)),
    };
    await this.#dialect.transaction(async (tx) => {
      await tx.insertInto('install_tasks').values(row).execute();
      await tx
        .insertInto('install_task_leases')
        .values({ ...base, owner: lease.owner, deadline: deadline(this.#dialect, lease), work: work ?? null })
        .execute();
    });
    return installTaskRecord({ ...row, ...times.record });
  }

  async find(tenantId: string, taskId: string): Promise<InstallTaskRecord | undefined> {
    const row = await this.#sql
      .selectFrom('install_tasks')
      .selectAll()
      .where('id', '=', taskId)
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return row && installTaskRecord(row);
  }

  async list(tenantId: string, page: Page): Promise<readonly InstallTaskRecord[]> {
    const rows = await this.#sql
      .selectFrom('install_tasks')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(page.pageSize)
      .offset(offsetOf(page))
      .execute();
    return rows.map(installTaskRecord);
  }

  async updateItem(
    taskId: string,
    uniqueIdentifier: string,
    change: InstallTaskItemChange,
    fence?: Fence,
  ): Promise<InstallTaskRecord | undefined> {
    return await this.#dialect.transaction(async (tx) => {
      await requireFence(this.#dialect, tx, fence);
      const task = await this.#locked(tx, taskId);
      const before = task?.plugins.find((item) => item.plugin_unique_identifier === uniqueIdentifier);
      if (task === undefined || before === undefined) return undefined;
      // What has come to an end does not run again.
      if (!isUnfinished(before) && change.status !== undefined && unfinished.includes(change.status)) return undefined;
      const after = storedItem({ ...before, ...change });
      const plugins = task.plugins.map((item) => (item === before ? after : item));
      const completed = before.status !== 'success' && after.status === 'success' ? 1 : 0;
      return await save(tx, {
        ...task,
        plugins,
        status: statusFrom(task.status, plugins),
        completed_plugins: task.completed_plugins + completed,
      });
    });
  }

  async openItems(uniqueIdentifier: string): Promise<readonly OpenItem[]> {
    const rows = await this.#open().where('task.plugins', 'like', `%${uniqueIdentifier}%`).orderBy('task.id').execute();
    return rows.flatMap(({ work, ...row }) => {
      const task = installTaskRecord(row);
      return task.plugins
        .filter((item) => isUnfinished(item) && item.plugin_unique_identifier === uniqueIdentifier)
        .map((item) => ({ taskId: task.id, tenantId: task.tenant_id, item, work: work ?? undefined }));
    });
  }

  async openVersions(owner: string): Promise<readonly string[]> {
    const rows = await this.#open().where('lease.owner', '=', owner).execute();
    const items = rows.flatMap((row) => installTaskRecord(row).plugins).filter(isUnfinished);
    return [...new Set(items.map((item) => item.plugin_unique_identifier))];
  }

  async findOpen(tenantId: string, uniqueIdentifiers: readonly string[]): Promise<OpenTask | undefined> {
    const rows = await this.#open()
      .where('task.tenant_id', '=', tenantId)
      .where('lease.deadline', '>', this.#dialect.clockMs)
      .orderBy('task.id')
      .execute();
    for (const { work, ...row } of rows) {
      const task = installTaskRecord(row);
      const open = new Set(task.plugins.filter(isUnfinished).map((item) => item.plugin_unique_identifier));
      if (uniqueIdentifiers.every((each) => open.has(each))) return { taskId: task.id, work: work ?? undefined };
    }
    return undefined;
  }

  async expired(): Promise<readonly ExpiredTask[]> {
    const rows = await this.#orphans(this.#sql).select('lease.work').selectAll('task').execute();
    return rows
      .map(({ work, ...row }) => ({ task: installTaskRecord(row), work: work ?? undefined }))
      .filter(({ task }) => task.plugins.some(isUnfinished));
  }

  async adopt(taskId: string, lease: Lease): Promise<boolean> {
    const { numUpdatedRows } = await this.#sql
      .updateTable('install_task_leases')
      .set({ owner: lease.owner, deadline: deadline(this.#dialect, lease), updated_at: now() })
      .where('id', '=', taskId)
      .where('deadline', '<=', this.#dialect.clockMs)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  async giveUp(owner: string): Promise<void> {
    await this.#sql.updateTable('install_task_leases').set({ deadline: 0 }).where('owner', '=', owner).execute();
  }

  async renewLeases(lease: Lease): Promise<readonly string[]> {
    const { owner } = lease;
    await this.#sql
      .updateTable('install_task_leases')
      .set({ deadline: deadline(this.#dialect, lease), updated_at: now() })
      .where('owner', '=', owner)
      .execute();
    const rows = await this.#sql
      .selectFrom('install_task_leases as lease')
      .innerJoin('install_tasks as task', 'task.id', 'lease.id')
      .select('task.id')
      .where('lease.owner', '=', owner)
      .where('task.status', 'in', unfinished)
      .execute();
    return rows.map((row) => row.id);
  }

  async failOrphans(message: string, only?: readonly string[]): Promise<readonly InstallTaskRecord[]> {
    return await this.#dialect.transaction(async (tx) => {
      const rows = await this.#orphans(tx).select('task.id').execute();
      return await this.#fail(tx, only === undefined ? rows : rows.filter(({ id }) => only.includes(id)), message);
    });
  }

  async failOwned(owner: string, message: string): Promise<readonly InstallTaskRecord[]> {
    return await this.#dialect.transaction(async (tx) => {
      const rows = await tx.selectFrom('install_task_leases').select('id').where('owner', '=', owner).execute();
      return await this.#fail(tx, rows, message);
    });
  }

  async delete(tenantId: string, taskId: string): Promise<boolean> {
    return await this.#dialect.transaction(async (tx) => {
      const { numDeletedRows } = await tx
        .deleteFrom('install_tasks')
        .where('id', '=', taskId)
        .where('tenant_id', '=', tenantId)
        .executeTakeFirstOrThrow();
      if (numDeletedRows > 0n) await dropLeases(tx, [taskId]);
      return numDeletedRows > 0n;
    });
  }

  async deleteAll(tenantId: string): Promise<number> {
    return await this.#dialect.transaction(async (tx) => {
      const rows = await tx.selectFrom('install_tasks').select('id').where('tenant_id', '=', tenantId).execute();
      return await this.#drop(tx, rows);
    });
  }

  async deleteItem(tenantId: string, taskId: string, uniqueIdentifier: string): Promise<boolean> {
    return await this.#dialect.transaction(async (tx) => {
      const task = await this.#locked(tx, taskId);
      if (task === undefined || task.tenant_id !== tenantId) return false;
      const plugins = task.plugins.filter((item) => item.plugin_unique_identifier !== uniqueIdentifier);
      if (plugins.every((item) => item.status === 'success')) {
        await tx.deleteFrom('install_tasks').where('id', '=', taskId).execute();
        await dropLeases(tx, [taskId]);
      } else if (plugins.length < task.plugins.length) {
        await save(tx, { ...task, plugins });
      }
      return plugins.length < task.plugins.length;
    });
  }

  async sweepSuccessful(olderThanMs: number): Promise<number> {
    return await this.#dialect.transaction(async (tx) => {
      const rows = await tx
        .selectFrom('install_tasks')
        .select('id')
        .where('status', '=', 'success')
        .where('updated_at', '<=', timeValue(new Date(Date.now() - olderThanMs)))
        .execute();
      return await this.#drop(tx, rows);
    });
  }

  /** What somebody works on: a lease goes with the last item. */
  #open() {
    return this.#sql
      .selectFrom('install_tasks as task')
      .innerJoin('install_task_leases as lease', 'lease.id', 'task.id')
      .selectAll('task')
      .select('lease.work');
  }

  /** Tasks whose lease ran out, or which never had one and have not changed for long. */
  #orphans(sql: Sql) {
    const believedMs = this.#dialect.soleUser ? 0 : leaselessMs;
    return sql
      .selectFrom('install_tasks as task')
      .leftJoin('install_task_leases as lease', 'lease.id', 'task.id')
      .where((where) =>
        where.or([
          where('lease.deadline', '<=', this.#dialect.clockMs),
          where.and([
            where('lease.id', 'is', null),
            where('task.status', 'in', unfinished),
            where.or([
              where('task.updated_at', 'is', null),
              where('task.updated_at', '<=', timeValue(new Date(Date.now() - believedMs))),
            ]),
          ]),
        ]),
      );
  }

  async #drop(tx: Tx, rows: readonly { readonly id: string }[]): Promise<number> {
    let dropped = 0;
    for (const ids of listsOf(rows.map(({ id }) => id))) {
      const { numDeletedRows } = await tx.deleteFrom('install_tasks').where('id', 'in', ids).executeTakeFirstOrThrow();
      await dropLeases(tx, ids);
      dropped += Number(numDeletedRows);
    }
    return dropped;
  }

  async #locked(tx: Tx, taskId: string): Promise<InstallTaskRecord | undefined> {
    const select = tx.selectFrom('install_tasks').selectAll().where('id', '=', taskId);
    const row = await this.#dialect.lockingRows(select).executeTakeFirst();
    return row && installTaskRecord(row);
  }

  async #fail(
    tx: Tx,
    rows: readonly { readonly id: string }[],
    message: string,
  ): Promise<readonly InstallTaskRecord[]> {
    const failed: InstallTaskRecord[] = [];
    for (const { id } of rows) {
      const task = await this.#locked(tx, id);
      if (task === undefined) continue;
      if (!isUnfinished(task) && !task.plugins.some(isUnfinished)) {
        await dropLeases(tx, [id]);
        continue;
      }
      const plugins = task.plugins.map((item) =>
        isUnfinished(item) ? storedItem({ ...item, status: 'failed', message }) : item,
      );
      failed.push(await save(tx, { ...task, plugins, status: 'failed' }));
    }
    return failed;
  }
}
