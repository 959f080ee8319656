import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import {
  type Fence,
  type InstallTaskItemChange,
  type InstallTasks,
  type JobLeases,
  LeaseLost,
  type OpenItem,
  type StoredDeclaration,
} from '../database/index.ts';
import { JobPostponed } from '../jobs/index.ts';
import type { Log } from '../telemetry/index.ts';
import { ProgressWriter } from './progress-writer.ts';
import { readWork } from './task-work.ts';
import type { VersionInstaller } from './version-installer.ts';

/** How the job of one tenant's item ended; stopped ones are not told. */
export interface JobEnd {
  readonly identifier: string;
  readonly status: 'success' | 'failed';
  readonly seconds: number;
}

export interface VersionJobParts {
  readonly tasks: InstallTasks;
  readonly leases: JobLeases;
  readonly installer: VersionInstaller;
  readonly log: Log;
  readonly onJobEnd: (end: JobEnd) => void;
}

export interface VersionJobOptions {
  /** The id of this node. */
  readonly owner: string;
  /** Longest duration of one job, milliseconds (PLUGIN_INSTALL_TIMEOUT). */
  readonly timeoutMs: number;
  /** How long the lease of a job is believed when it is not renewed, milliseconds: then another node takes the job. */
  readonly jobLeaseMs: number;
  /** Progress is written at most this often, milliseconds. */
  readonly progressMs: number;
  /** Whether another node goes on when this one closes. */
  readonly shared: boolean;
}

const startingMessage = 'starting';
const handedOverMessage = 'waiting for another node: the one that worked on it is shutting down';
const LONGEST_PAUSE_MS = 5000;
/** Between two looks at a job that another attempt works on. */
const LOOK_AGAIN_MS = 1000;
/** A version whose installation ends this many nodes is not given to another one. */
const MOST_ATTEMPTS = 3;
const poisonMessage = `the installation was begun ${MOST_ATTEMPTS} times, and each time the node that worked on it was gone before it ended. Look for the reason in the logs of the nodes (memory, disk, a crash), then install the plugin again`;

/** What the job that installs a version is called where leases are kept. */
export const installJobId = (identifier: string): string => `install ${identifier}`;

interface Failed {
  readonly open: OpenItem;
  readonly message: string;
}

/** Why a job ends without a result: nobody waits for it any more. */
class JobStopped extends Error {
  override readonly name = 'JobStopped';
}

/**
 * One attempt at making a plugin version ready for whoever waits for it: every unfinished item of that version, in the task of any
 * tenant, whichever node was asked. It writes only while it holds the lease of the job: after a pause in which another node took
 * over, nothing that it does is kept.
 */
export class VersionJob {
  readonly #identifier: string;
  readonly #parts: VersionJobParts;
  readonly #options: VersionJobOptions;
  readonly #log: Log;
  readonly #fence: Fence;
  readonly #stop = new AbortController();
  /** Who waits, by task. */
  #waiting = new Map<string, OpenItem>();
  /** The looks at who waits, one after the other. */
  #looks: Promise<unknown> = Promise.resolve();
  #ready = false;
  #step = startingMessage;
  readonly #began = performance.now();

  constructor(identifier: string, parts: VersionJobParts, options: VersionJobOptions) {
    this.#identifier = identifier;
    this.#parts = parts;
    this.#options = options;
    this.#log = parts.log.child({ identifier });
    this.#fence = { jobId: installJobId(identifier), owner: `${options.owner}/${randomUUID()}` };
  }

  /**
   * @throws JobPostponed while another attempt works on it; the reason of the signal; what the database failed with: then somebody
   * has to try again
   */
  async run(signal: AbortSignal): Promise<void> {
    const { leases } = this.#parts;
    const attempt = await leases.take(this.#fence.jobId, this.#lease());
    if (attempt === undefined) throw new JobPostponed(LOOK_AGAIN_MS);
    const renewing = setInterval(() => void this.#renew(), this.#options.jobLeaseMs / 3).unref();
    try {
      await this.#attempt(attempt, signal);
      await leases.end(this.#fence);
    } catch (error) {
      if (error instanceof LeaseLost || this.#stop.signal.reason instanceof LeaseLost) {
        this.#log.warn('another node has taken this installation over: what was done here is not kept');
        return;
      }
      await leases.handOver(this.#fence).catch((failure: unknown) => {
        this.#log.warn(
          { err: failure },
          'an installation could not be handed over: it goes on when its lease has ended',
        );
      });
      throw error;
    } finally {
      clearInterval(renewing);
    }
  }

  /** Looks who still waits; when nobody does before the version is ready, the job is stopped. */
  async look(): Promise<readonly OpenItem[]> {
    const look = this.#looks.then(async () => {
      const open = await this.#parts.tasks.openItems(this.#identifier);
      this.#waiting = new Map(open.map((each) => [each.taskId, each]));
      if (open.length === 0 && !this.#ready) this.#stop.abort(new JobStopped('the install task was deleted'));
      return open;
    });
    this.#looks = look.catch(() => undefined);
    return await look;
  }

  async #attempt(attempt: number, signal: AbortSignal): Promise<void> {
    const open = await this.look();
    if (open.length === 0) return;
    if (attempt > MOST_ATTEMPTS) return await this.#failAll(poisonMessage, signal);
    if (attempt > 1) this.#log.warn({ attempt }, 'an installation goes on here: the node that worked on it is gone');
    const limit = AbortSignal.timeout(this.#options.timeoutMs);
    const all = AbortSignal.any([signal, this.#stop.signal, limit]);
    let failed: readonly Failed[] = [];
    const progress = new ProgressWriter((message) => this.#tell(message), this.#options.progressMs);
    try {
      await this.#tell(startingMessage);
      await this.#parts.installer.claiming(this.#identifier, async (claim) => {
        all.throwIfAborted();
        const declaration = await this.#parts.installer.launch(this.#identifier, claim, {
          signal: all,
          progress: (step) => progress.show(step),
        });
        await progress.stop();
        failed = await this.#giveAll(declaration, all, signal);
      });
      // What is said to have failed does not run any more.
      for (const { open, message } of failed) await this.#outcome(open, { status: 'failed', message }, signal);
    } catch (error) {
      await progress.stop();
      if (error instanceof LeaseLost) throw error;
      if (this.#stop.signal.aborted) {
        if (this.#stop.signal.reason instanceof LeaseLost) throw this.#stop.signal.reason;
        this.#log.info({ reason: messageOf(this.#stop.signal.reason) }, 'install job stopped');
        return;
      }
      if (signal.aborted) {
        // Whoever goes on writes over it; what is not written costs only this text.
        if (this.#options.shared) await this.#tell(handedOverMessage).catch(() => undefined);
        throw signal.reason;
      }
      const message = limit.aborted ? this.#timeoutMessage() : textOf(error);
      this.#log.error({ err: error, message }, 'install job failed');
      await this.#failAll(message, signal);
    }
  }

  /** Gives the version to everybody who waits, until nobody does: some have come meanwhile. @returns who could not be given it */
  async #giveAll(declaration: StoredDeclaration, all: AbortSignal, signal: AbortSignal): Promise<readonly Failed[]> {
    this.#ready = true;
    const failed = new Map<string, Failed>();
    for (;;) {
      all.throwIfAborted();
      const open = (await this.look()).filter(({ taskId }) => !failed.has(taskId));
      if (open.length === 0) return [...failed.values()];
      for (const each of open) {
        all.throwIfAborted();
        const log = this.#log.child({ taskId: each.taskId, tenantId: each.tenantId });
        try {
          const message = await this.#give(each, declaration);
          await this.#outcome(each, { status: 'success', message }, signal);
          log.info('install job done');
        } catch (error) {
          if (error instanceof LeaseLost || signal.aborted) throw error;
          const message = textOf(error);
          log.error({ err: error, message }, 'install job failed');
          failed.set(each.taskId, { open: each, message });
        }
      }
    }
  }

  /** @returns the last message of the item */
  async #give({ tenantId, item, work: text }: OpenItem, declaration: StoredDeclaration): Promise<string> {
    const work = readWork(text, this.#identifier);
    if (work === undefined) throw new DaemonError('internal', 'what was to be done stands nowhere: install it again');
    const waiting = { tenantId, identifier: this.#identifier, source: item.source, work };
    return await this.#parts.installer.give(waiting, declaration, this.#fence);
  }

  async #failAll(message: string, signal: AbortSignal): Promise<void> {
    for (const each of this.#waiting.values()) await this.#outcome(each, { status: 'failed', message }, signal);
  }

  /** Shows everybody who waits the step that the version is in. */
  async #tell(message: string): Promise<void> {
    this.#step = message;
    for (const { taskId } of [...this.#waiting.values()]) {
      if (this.#stop.signal.aborted) return;
      await this.#write(taskId, { status: 'running', message });
    }
  }

  async #write(taskId: string, change: InstallTaskItemChange): Promise<void> {
    const task = await this.#parts.tasks.updateItem(taskId, this.#identifier, change, this.#fence);
    if (task !== undefined) return;
    this.#waiting.delete(taskId);
    if (this.#waiting.size === 0) await this.look();
  }

  /** What a job has come to is true however long the database is away: it is stored when that is back. */
  async #outcome(
    { taskId }: OpenItem,
    change: { readonly status: JobEnd['status']; readonly message: string },
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 0; ; failures++) {
      try {
        await this.#parts.tasks.updateItem(taskId, this.#identifier, change, this.#fence);
        this.#waiting.delete(taskId);
        const seconds = (performance.now() - this.#began) / 1000;
        this.#parts.onJobEnd({ identifier: this.#identifier, status: change.status, seconds });
        return;
      } catch (error) {
        if (error instanceof LeaseLost) throw error;
        this.#log.error({ err: error, taskId }, 'the outcome of an install job could not be stored; trying again');
      }
      const pauseMs = Math.min(this.#options.progressMs * 2 ** failures, LONGEST_PAUSE_MS);
      await pause(pauseMs, undefined, { signal });
    }
  }

  /** A lease that could not be renewed is still ours until somebody takes it. */
  async #renew(): Promise<void> {
    try {
      if (await this.#parts.leases.renew(this.#fence.jobId, this.#lease())) await this.#welcome();
      else this.#stop.abort(new LeaseLost(this.#fence.jobId));
    } catch (error) {
      this.#log.warn({ err: error }, 'the lease of an install job could not be renewed; trying again');
    }
  }

  /** Who came since the last step was told hears of it as well. */
  async #welcome(): Promise<void> {
    for (const { taskId, item } of await this.look()) {
      if (item.status === 'pending') await this.#write(taskId, { status: 'running', message: this.#step });
    }
  }

  #lease(): { readonly owner: string; readonly durationMs: number } {
    return { owner: this.#fence.owner, durationMs: this.#options.jobLeaseMs };
  }

  #timeoutMessage(): string {
    const minutes = this.#options.timeoutMs / 60_000;
    return `the installation took longer than ${minutes} minutes and was stopped (last step: ${this.#step}). Raise PLUGIN_INSTALL_TIMEOUT if it needs more`;
  }
}

const textOf = (error: unknown): string => (error instanceof DaemonError ? error.wireMessage : messageOf(error));
