/** How the row of a task is changed: its leases go with the last open item. */
import type { InstallTaskRecord } from '../records.ts';
import type { Tx } from './context.ts';
import { isUnfinished } from './install-task-items.ts';
import { now } from './rows.ts';

/** Updates by id and never inserts: a task that was deleted meanwhile stays deleted. */
export async function save(tx: Tx, task: InstallTaskRecord): Promise<InstallTaskRecord> {
  const time = now();
  const saved = { ...task, updated_at: time.toISOString() };
  await tx
    .updateTable('install_tasks')
    .set({
      status: saved.status,
      completed_plugins: saved.completed_plugins,
      plugins: JSON.stringify(saved.plugins),
      updated_at: time,
    })
    .where('id', '=', task.id)
    .execute();
  // Nobody needs to look after what is finished.
  if (!saved.plugins.some(isUnfinished)) await dropLeases(tx, [task.id]);
  return saved;
}

export async function dropLeases(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.deleteFrom('install_task_leases').where('id', 'in', ids).execute();
}
