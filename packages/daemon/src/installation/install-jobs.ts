import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { InstallTaskItem, InstallTaskRecord, InstallTasks, JobLeases } from '../database/index.ts';
import type { JobHandlers, JobQueue } from '../jobs/index.ts';
import type { Log } from '../telemetry/index.ts';
import { type ItemWork, isReadable, readWork, writeWork } from './task-work.ts';
import type { VersionInstaller } from './version-installer.ts';
import { type JobEnd, VersionJob, type VersionJobOptions } from './version-job.ts';

export interface InstallJobsOptions {
  /** Whose tasks these are: the id of this node. Those of a node that died are found when their lease has ended. */
  readonly owner: string;
  /** Longest duration of one job, milliseconds (PLUGIN_INSTALL_TIMEOUT). */
  readonly timeoutMs: number;
  /** How long an unrenewed lease of a task is believed, milliseconds. */
  readonly leaseMs?: number;
  /** The same for the lease of a job. */
  readonly jobLeaseMs?: number;
  /** Successful tasks vanish after this long, milliseconds. */
  readonly retentionMs?: number;
  /** Progress is written at most this often, milliseconds. */
  readonly progressMs?: number;
}

export interface InstallJobsParts {
  readonly tasks: InstallTasks;
  readonly leases: JobLeases;
  readonly queue: JobQueue;
  readonly installer: VersionInstaller;
  readonly log: Log;
  readonly onJobEnd?: (end: JobEnd) => void;
}

export interface NewItem {
  readonly item: InstallTaskItem;
  readonly work: ItemWork;
}

export const shutdownMessage = 'An unexpected daemon shutdown occurred';
/** A task that no node here can read may be one of a newer version, whose nodes come back. */
const UNREADABLE_MS = 16 * 60_000;

/**
 * The install tasks that this node was asked for, and the jobs that it does, whoever was asked for them. A task never stays unfinished
 * without somebody behind it: its owner renews its lease and sees to it that there is a job for what is left of it; when the lease
 * runs out, another node becomes the owner, or, where nobody else takes jobs, the task is failed
 * (docs/wire/lifecycle.md#install-tasks). Deleting a task or an item stops its job when nobody else waits for that version.
 */
export class InstallJobs {
  readonly #parts: InstallJobsParts;
  readonly #options: Required<InstallJobsOptions>;
  readonly #running = new Set<VersionJob>();
  #timer: NodeJS.Timeout | undefined;
  #tick: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: InstallJobsParts, options: InstallJobsOptions) {
    this.#parts = parts;
    this.#options = { leaseMs: 30_000, jobLeaseMs: 5000, retentionMs: 600_000, progressMs: 250, ...options };
  }

  get handlers(): Pick<JobHandlers, 'install' | 'install-tasks'> {
    return {
      install: {
        run: (identifier, { signal }) => this.#run(identifier, signal),
        // Somebody may have asked while it was ending.
        after: (identifier) => void this.#askIfOpen(identifier),
      },
      'install-tasks': { run: () => this.#sweep() },
    };
  }

  /** Fails what a former life left unfinished, where nobody else goes on with it, and keeps looking after what is asked for. */
  async start(): Promise<void> {
    if (!this.#parts.queue.shared) await this.#failOrphans();
    this.#timer = setInterval(() => {
      this.#tick = this.#tick.then(() => this.#housekeeping());
    }, this.#options.leaseMs / 3).unref();
  }

  /** Ends the jobs of this process: other nodes go on with them, or their tasks are marked as upstream does. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#tick;
    const { queue, tasks, log } = this.#parts;
    const { owner } = this.#options;
    const settle = async (work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        log.error({ err: error }, 'install tasks could not be given up; that is done when their lease has ended');
      }
    };
    if (!queue.shared) await settle(() => tasks.failOwned(owner, shutdownMessage));
    await queue.close();
    if (queue.shared) await settle(() => tasks.giveUp(owner));
  }

  /** Creates a task and asks for a job for each item. */
  async begin(tenantId: string, items: readonly NewItem[]): Promise<InstallTaskRecord> {
    if (this.#closed) throw new DaemonError('internal', 'the daemon is shutting down');
    const work = writeWork(Object.fromEntries(items.map(({ item, work }) => [item.plugin_unique_identifier, work])));
    const plugins = items.map(({ item }) => item);
    const task = await this.#parts.tasks.create({ tenantId, plugins, lease: this.#lease(), work });
    await this.#ask(task, work);
    return task;
  }

  /** The task in which the tenant already installs all of these, on whichever node, if there is one. */
  async ongoing(tenantId: string, identifiers: readonly string[]): Promise<string | undefined> {
    return (await this.#parts.tasks.findOpen(tenantId, identifiers))?.taskId;
  }

  async delete(tenantId: string, taskId: string): Promise<void> {
    await this.#parts.tasks.delete(tenantId, taskId);
    await this.#lookAgain();
  }

  async deleteAll(tenantId: string): Promise<void> {
    await this.#parts.tasks.deleteAll(tenantId);
    await this.#lookAgain();
  }

  async deleteItem(tenantId: string, taskId: string, identifier: string): Promise<void> {
    await this.#parts.tasks.deleteItem(tenantId, taskId, identifier);
    await this.#lookAgain();
  }

  async #run(identifier: string, signal: AbortSignal): Promise<void> {
    const { tasks, leases, installer, log, onJobEnd = () => undefined } = this.#parts;
    const options: VersionJobOptions = { ...this.#options, shared: this.#parts.queue.shared };
    const job = new VersionJob(identifier, { tasks, leases, installer, log, onJobEnd }, options);
    this.#running.add(job);
    try {
      await job.run(signal);
    } finally {
      this.#running.delete(job);
    }
  }

  /** Jobs of this node notice at once what they find out soon anyway. */
  async #lookAgain(): Promise<void> {
    await Promise.allSettled([...this.#running].map((job) => job.look()));
  }

  /** Asks for what is left of a task of this node. Never rejects: what nobody can be asked for now is asked for again. */
  async #ask(task: InstallTaskRecord, work: string): Promise<void> {
    for (const item of task.plugins) {
      const { plugin_unique_identifier: identifier, status } = item;
      if (status === 'success' || status === 'failed') continue;
      if (readWork(work, identifier)?.kind === 'present') await this.#settlePresent(task.id, identifier);
      else await this.#askFor(identifier);
    }
  }

  async #settlePresent(taskId: string, identifier: string): Promise<void> {
    try {
      await this.#parts.tasks.updateItem(taskId, identifier, { status: 'success', message: 'installed' });
    } catch (error) {
      // Housekeeping asks for it like for any other, and the job finds nothing to do.
      this.#parts.log.warn({ err: error, taskId, identifier }, 'a plugin that is installed could not be marked so yet');
    }
  }

  async #askFor(identifier: string): Promise<void> {
    try {
      await this.#parts.queue.add('install', identifier);
    } catch (error) {
      this.#parts.log.warn({ err: error, identifier }, 'no node could be asked to install a plugin; asking again');
    }
  }

  async #askIfOpen(identifier: string): Promise<void> {
    try {
      if ((await this.#parts.tasks.openItems(identifier)).length > 0) await this.#askFor(identifier);
    } catch (error) {
      this.#parts.log.warn({ err: error, identifier }, 'it is not known whether a plugin is still to be installed');
    }
  }

  /** Of this node's own tasks: they are alive, and there is a job for whatever is left of them. */
  async #housekeeping(): Promise<void> {
    const { tasks, log } = this.#parts;
    try {
      await tasks.renewLeases(this.#lease());
      for (const identifier of await tasks.openVersions(this.#options.owner)) await this.#askFor(identifier);
    } catch (error) {
      log.error({ err: error }, 'install tasks could not be looked after; trying again');
    }
  }

  /** Of all tasks, whosever they were. */
  async #sweep(): Promise<void> {
    const { tasks, leases, queue } = this.#parts;
    if (queue.shared) await this.#adopt();
    else await this.#failOrphans();
    await tasks.sweepSuccessful(this.#options.retentionMs);
    await leases.forgetOld();
  }

  async #adopt(): Promise<void> {
    const { tasks, log } = this.#parts;
    const hopeless: string[] = [];
    for (const { task, work } of await tasks.expired()) {
      if (work === undefined) hopeless.push(task.id);
      else if (!isReadable(work)) {
        if (Date.now() - Date.parse(task.updated_at) > UNREADABLE_MS) hopeless.push(task.id);
      } else if (await tasks.adopt(task.id, this.#lease())) {
        log.warn({ taskId: task.id, tenantId: task.tenant_id }, 'install task was left by its node: it goes on');
        await this.#ask(task, work);
      }
    }
    if (hopeless.length > 0) await this.#failOrphans(hopeless);
  }

  async #failOrphans(only?: readonly string[]): Promise<void> {
    for (const task of await this.#parts.tasks.failOrphans(shutdownMessage, only)) {
      this.#parts.log.warn({ taskId: task.id, tenantId: task.tenant_id }, 'install task was left unfinished: failed');
    }
  }

  #lease(): { readonly owner: string; readonly durationMs: number } {
    return { owner: this.#options.owner, durationMs: this.#options.leaseMs };
  }
}
