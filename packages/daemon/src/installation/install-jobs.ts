import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import type { InstallTaskItem, InstallTaskItemChange, InstallTaskRecord, InstallTasks } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import { ProgressWriter } from './progress-writer.ts';

export interface InstallJobsOptions {
  /** Whose tasks these are: the id of this node. Those of a node that died are found when their lease has ended. */
  readonly owner: string;
  /** Longest duration of one job, milliseconds (PLUGIN_INSTALL_TIMEOUT). */
  readonly timeoutMs: number;
  /** How long an unrenewed lease is believed, milliseconds. */
  readonly leaseMs?: number;
  /** Successful tasks vanish after this long, milliseconds. */
  readonly retentionMs?: number;
  /** Progress is written at most this often, milliseconds. */
  readonly progressMs?: number;
}

/** What a job may do with its item while it runs. */
export interface JobControl {
  /** Aborted by deletion of the task or item, by the time limit and by shutdown. */
  readonly signal: AbortSignal;
  /** Shows the step the job is in; written soon, the last one counts. */
  progress(step: string): void;
}

/** Works on one item. Resolves to the item's last message; rejects with what becomes it. */
export type Job = (control: JobControl) => Promise<string>;

/** How a job ended; stopped ones are not told. */
export interface JobEnd {
  readonly identifier: string;
  readonly status: 'success' | 'failed';
  readonly seconds: number;
}

export interface NewItem {
  readonly item: InstallTaskItem;
  readonly job: Job;
}

export const shutdownMessage = 'An unexpected daemon shutdown occurred';
const startingMessage = 'starting';
const LONGEST_PAUSE_MS = 5000;

/** Why a job was stopped from outside; its item is gone or written already. */
class JobStopped extends Error {
  override readonly name = 'JobStopped';
}

interface Running {
  readonly tenantId: string;
  readonly taskId: string;
  readonly identifier: string;
  readonly controller: AbortController;
}

/**
 * The jobs of this process that install, and the leases on the tasks, the rows, that say what is being installed. A row never
 * stays unfinished without somebody behind it: the owner renews its lease while it lives, and whoever finds one that ran out
 * fails it (docs/wire/lifecycle.md#install-tasks). Deleting a task or an item stops its job.
 */
export class InstallJobs {
  readonly #rows: InstallTasks;
  readonly #options: Required<InstallJobsOptions>;
  readonly #log: Log;
  readonly #onJobEnd: (end: JobEnd) => void;
  readonly #running = new Set<Running>();
  readonly #jobs = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #tick: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    rows: InstallTasks,
    options: InstallJobsOptions,
    log: Log,
    onJobEnd: (end: JobEnd) => void = () => undefined,
  ) {
    this.#onJobEnd = onJobEnd;
    this.#rows = rows;
    this.#options = { leaseMs: 30_000, retentionMs: 600_000, progressMs: 250, ...options };
    this.#log = log;
  }

  /** Fails what a former life left unfinished, and keeps doing so for processes that die while this one lives. */
  async start(): Promise<void> {
    for (const task of await this.#rows.failOrphans(shutdownMessage)) {
      this.#log.warn({ taskId: task.id, tenantId: task.tenant_id }, 'install task was left unfinished: failed');
    }
    this.#timer = setInterval(() => {
      this.#tick = this.#tick.then(() => this.#housekeeping());
    }, this.#options.leaseMs / 3).unref();
  }

  /** Stops the jobs of this process and marks their tasks as upstream does. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#tick;
    if (this.#running.size > 0) await this.#failOwned();
    this.#stop(() => true, 'the daemon is shutting down');
    await Promise.allSettled(this.#jobs);
  }

  async #failOwned(): Promise<void> {
    try {
      await this.#rows.failOwned(this.#options.owner, shutdownMessage);
    } catch (error) {
      this.#log.error(
        { err: error },
        'install tasks could not be marked as failed; that is done when their lease has ended',
      );
    }
  }

  /** Creates a task and starts a job for each item. */
  async begin(tenantId: string, items: readonly NewItem[]): Promise<InstallTaskRecord> {
    if (this.#closed) throw new DaemonError('internal', 'the daemon is shutting down');
    const task = await this.#rows.create({ tenantId, plugins: items.map((each) => each.item), lease: this.#lease() });
    for (const { item, job } of items) {
      const running: Running = {
        tenantId,
        taskId: task.id,
        identifier: item.plugin_unique_identifier,
        controller: new AbortController(),
      };
      this.#running.add(running);
      const settled = this.#work(running, job).finally(() => {
        this.#running.delete(running);
        this.#jobs.delete(settled);
      });
      this.#jobs.add(settled);
    }
    return task;
  }

  /** The task of this process in which the tenant already installs all of these, if there is one. */
  ongoing(tenantId: string, identifiers: readonly string[]): string | undefined {
    const byTask = new Map<string, Set<string>>();
    for (const running of this.#running) {
      if (running.tenantId !== tenantId || running.controller.signal.aborted) continue;
      const found = byTask.get(running.taskId) ?? new Set<string>();
      byTask.set(running.taskId, found.add(running.identifier));
    }
    for (const [taskId, found] of byTask) if (identifiers.every((each) => found.has(each))) return taskId;
    return undefined;
  }

  async delete(tenantId: string, taskId: string): Promise<void> {
    await this.#rows.delete(tenantId, taskId);
    this.#stop((job) => job.tenantId === tenantId && job.taskId === taskId, 'the install task was deleted');
  }

  async deleteAll(tenantId: string): Promise<void> {
    await this.#rows.deleteAll(tenantId);
    this.#stop((job) => job.tenantId === tenantId, 'the install task was deleted');
  }

  async deleteItem(tenantId: string, taskId: string, identifier: string): Promise<void> {
    await this.#rows.deleteItem(tenantId, taskId, identifier);
    this.#stop(
      (job) => job.tenantId === tenantId && job.taskId === taskId && job.identifier === identifier,
      'the item was deleted from the install task',
    );
  }

  async #work(running: Running, job: Job): Promise<void> {
    const { taskId, identifier, controller } = running;
    const log = this.#log.child({ taskId, identifier, tenantId: running.tenantId });
    const began = performance.now();
    const ended = (status: JobEnd['status']): void =>
      this.#onJobEnd({ identifier, status, seconds: (performance.now() - began) / 1000 });
    const limit = AbortSignal.timeout(this.#options.timeoutMs);
    const signal = AbortSignal.any([controller.signal, limit]);
    const progress = new ProgressWriter((message) => this.#write(running, { message }), this.#options.progressMs);
    try {
      await this.#write(running, { status: 'running', message: startingMessage });
      signal.throwIfAborted();
      const message = await job({ signal, progress: (step) => progress.show(step) });
      await progress.stop();
      await this.#writeOutcome(running, { status: 'success', message }, log);
      ended('success');
      log.info('install job done');
    } catch (error) {
      await progress.stop();
      if (controller.signal.aborted) {
        log.info({ reason: reasonOf(controller.signal) }, 'install job stopped');
        return;
      }
      const message = limit.aborted ? this.#timeoutMessage() : toDaemonError(error).wireMessage;
      ended('failed');
      log.error({ err: error, message }, 'install job failed');
      await this.#writeOutcome(running, { status: 'failed', message }, log);
    }
  }

  /** @throws JobStopped when the row or the item is gone: there is nobody left to work for */
  async #write(running: Running, change: InstallTaskItemChange): Promise<void> {
    if (running.controller.signal.aborted) return;
    const task = await this.#rows.updateItem(running.taskId, running.identifier, change);
    if (task !== undefined) return;
    const stopped = new JobStopped('the install task was deleted');
    running.controller.abort(stopped);
    throw stopped;
  }

  /** What a job has come to is true however long the database is away: it is stored when that is back. */
  async #writeOutcome(running: Running, change: InstallTaskItemChange, log: Log): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        return await this.#write(running, change);
      } catch (error) {
        if (error instanceof JobStopped) return;
        log.error({ err: error }, 'the outcome of an install job could not be stored; trying again');
      }
      const pauseMs = Math.min(this.#options.progressMs * 2 ** failures, LONGEST_PAUSE_MS);
      // Stopping the job, also at shutdown, ends the waiting.
      await pause(pauseMs, undefined, { signal: running.controller.signal }).catch(() => undefined);
      if (running.controller.signal.aborted) return;
    }
  }

  #stop(which: (running: Running) => boolean, reason: string): void {
    for (const running of this.#running) if (which(running)) running.controller.abort(new JobStopped(reason));
  }

  async #housekeeping(): Promise<void> {
    try {
      if (this.#running.size > 0) {
        await this.#stopDeleted(await this.#rows.renewLeases(this.#lease()));
      }
      for (const task of await this.#rows.failOrphans(shutdownMessage)) {
        this.#log.warn({ taskId: task.id, tenantId: task.tenant_id }, 'install task was left unfinished: failed');
      }
      await this.#rows.sweepSuccessful(this.#options.retentionMs);
    } catch (error) {
      this.#log.error({ err: error }, 'install tasks could not be looked after; trying again');
    }
  }

  /** Stops jobs whose task another process deleted. @param alive tasks known to exist */
  async #stopDeleted(alive: readonly string[]): Promise<void> {
    for (const running of this.#running) {
      if (alive.includes(running.taskId)) continue;
      const task = await this.#rows.find(running.tenantId, running.taskId);
      const item = task?.plugins.find((each) => each.plugin_unique_identifier === running.identifier);
      if (item === undefined) this.#stop((job) => job === running, 'the install task was deleted');
    }
  }

  #lease(): { readonly owner: string; readonly durationMs: number } {
    return { owner: this.#options.owner, durationMs: this.#options.leaseMs };
  }

  #timeoutMessage(): string {
    const minutes = this.#options.timeoutMs / 60_000;
    return `the installation took longer than ${minutes} minutes and was stopped. Raise PLUGIN_INSTALL_TIMEOUT, or look into the log for the step that took so long`;
  }
}

function reasonOf(signal: AbortSignal): string {
  return messageOf(signal.reason);
}
