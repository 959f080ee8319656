import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { type JobKind, type JobName, type OnDemandKind, recurringKinds } from '../job-kinds.ts';
import {
  JOB_ATTEMPTS,
  JOB_RETRY_MS,
  type JobCounts,
  type JobHandler,
  type JobHandlers,
  JobPostponed,
  type JobQueue,
  type JobQueueOptions,
} from '../job-queue.ts';

export interface MemoryJobsOptions extends JobQueueOptions {
  /** false: recurring work is done elsewhere. */
  readonly recurring?: boolean;
}

export const openMemoryJobs = (options: MemoryJobsOptions): JobQueue => new MemoryJobs(options);

class MemoryJobs implements JobQueue {
  readonly shared = false;
  readonly #options: MemoryJobsOptions;
  readonly #closing = new AbortController();
  /** By kind and name. */
  readonly #jobs = new Map<string, Promise<void>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #handlers: JobHandlers | undefined;
  #delayed = 0;

  constructor(options: MemoryJobsOptions) {
    this.#options = options;
  }

  begin(handlers: JobHandlers): void {
    this.#handlers = handlers;
    if (this.#options.recurring === false) return;
    for (const { kind, everyMs } of recurringKinds) {
      this.#start(kind, kind);
      this.#timers.push(setInterval(() => this.#start(kind, kind), everyMs).unref());
    }
  }

  async add(kind: OnDemandKind, name: JobName): Promise<void> {
    if (this.#closing.signal.aborted) throw new DaemonError('unavailable', 'the daemon is shutting down');
    if (this.#handlers === undefined) throw new DaemonError('unavailable', 'this node does no jobs');
    this.#start(kind, name);
  }

  async counts(): Promise<JobCounts> {
    return { waiting: 0, active: this.#jobs.size - this.#delayed, delayed: this.#delayed };
  }

  rest(): void {
    // There is nobody else.
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#closing.abort(new Error('the daemon is shutting down'));
    await Promise.all(this.#jobs.values());
  }

  #start(kind: JobKind, name: JobName): void {
    const key = `${kind}\n${name}`;
    const handler = this.#handlers?.[kind];
    if (handler === undefined || this.#jobs.has(key) || this.#closing.signal.aborted) return;
    const done = this.#run(kind, name, handler).finally(() => {
      this.#jobs.delete(key);
      if (!this.#closing.signal.aborted) handler.after?.(name);
    });
    this.#jobs.set(key, done);
  }

  /** Never rejects. */
  async #run(kind: JobKind, name: JobName, handler: JobHandler): Promise<void> {
    const { log, onEnd } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      let delayMs: number;
      try {
        await handler.run(name, { signal });
        onEnd?.({ kind, outcome: 'done' });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof JobPostponed) {
          delayMs = error.delayMs;
          onEnd?.({ kind, outcome: 'postponed' });
        } else {
          delayMs = JOB_RETRY_MS * 2 ** failures++;
          log.error({ err: error, job: kind, name, failures }, 'a job failed');
          onEnd?.({ kind, outcome: 'failed' });
          if (failures === JOB_ATTEMPTS) return;
        }
      }
      this.#delayed++;
      await pause(delayMs, undefined, { signal }).catch(() => undefined);
      this.#delayed--;
    }
  }
}
