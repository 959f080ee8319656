/** What is being installed, as Dify follows it, and who works on it. */
import type { InstallTaskItem, InstallTaskRecord, Page } from '../records.ts';
import type { Fence, Lease } from './leases.ts';

export interface NewInstallTask {
  readonly tenantId: string;
  readonly plugins: readonly InstallTaskItem[];
  readonly lease: Lease;
  /** What is to be done, in the words of its owner, for whoever takes the task over. Without it nobody does. */
  readonly work?: string;
}

/** An item that somebody should be working on. */
export interface OpenItem {
  readonly taskId: string;
  readonly tenantId: string;
  readonly item: InstallTaskItem;
  /** As it was given with its task. */
  readonly work: string | undefined;
}

export type OpenTask = Pick<OpenItem, 'taskId' | 'work'>;

/** An unfinished task whose lease has run out. */
export interface ExpiredTask {
  readonly task: InstallTaskRecord;
  readonly work: string | undefined;
}

/** Fields of a task's item that change; the rest stays. */
export type InstallTaskItemChange = Partial<Omit<InstallTaskItem, 'plugin_unique_identifier'>>;

export interface InstallTasks {
  /** Creates a task with status `running`; items as given. */
  create(task: NewInstallTask): Promise<InstallTaskRecord>;
  find(tenantId: string, taskId: string): Promise<InstallTaskRecord | undefined>;
  /** Newest first. */
  list(tenantId: string, page: Page): Promise<readonly InstallTaskRecord[]>;
  /**
   * Changes one item and derives the task from its items: the first `failed` makes the task `failed`, all `success`
   * makes it `success`; `completed_plugins` counts successes. Messages over 1024 bytes are shortened to their ends.
   * @returns the task, or undefined when it or the item was deleted meanwhile, or is to run after it ended: the job should stop
   * @throws LeaseLost when the fence is not the holder's any more
   */
  updateItem(
    taskId: string,
    uniqueIdentifier: string,
    change: InstallTaskItemChange,
    fence?: Fence,
  ): Promise<InstallTaskRecord | undefined>;
  /** The items of this plugin version, of every tenant, that are not finished; oldest task first. */
  openItems(uniqueIdentifier: string): Promise<readonly OpenItem[]>;
  /** The versions that items of this owner's tasks wait for. */
  openVersions(owner: string): Promise<readonly string[]>;
  /** The unfinished task in which a tenant installs all of these versions, if there is one that somebody looks after. */
  findOpen(tenantId: string, uniqueIdentifiers: readonly string[]): Promise<OpenTask | undefined>;
  /** Unfinished tasks whose lease ran out, with those that `failOrphans` would fail. */
  expired(): Promise<readonly ExpiredTask[]>;
  /** Takes the lease of a task whose lease ran out; false when somebody else was first, or it is renewed again. */
  adopt(taskId: string, lease: Lease): Promise<boolean>;
  /** Lets the leases of this owner run out at once, so that others take its tasks over. */
  giveUp(owner: string): Promise<void>;
  /** Extends the lease of every unfinished task of this owner; returns the ids that still exist and are unfinished. */
  renewLeases(lease: Lease): Promise<readonly string[]>;
  /**
   * Fails every unfinished task whose lease has run out; returns them as they are now. One that never had a lease may be worked on
   * by a node of the existing daemon: where others use the database too, it counts only when it has not changed for long.
   * @param only of these
   */
  failOrphans(message: string, only?: readonly string[]): Promise<readonly InstallTaskRecord[]>;
  /** Fails every unfinished task of this owner (shutdown). */
  failOwned(owner: string, message: string): Promise<readonly InstallTaskRecord[]>;
  /** Deletes one task; true if there was one. */
  delete(tenantId: string, taskId: string): Promise<boolean>;
  /** Deletes all tasks of a tenant; returns how many. */
  deleteAll(tenantId: string): Promise<number>;
  /** Removes one item; deletes the task when all remaining items are successful or none remain. Counters stay. */
  deleteItem(tenantId: string, taskId: string, uniqueIdentifier: string): Promise<boolean>;
  /** Deletes tasks with status `success` whose last update is at least this old; returns how many. */
  sweepSuccessful(olderThanMs: number): Promise<number>;
}
