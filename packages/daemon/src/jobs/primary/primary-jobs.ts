import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Caller, Channel } from '../../ipc/index.ts';
import type { JobKind, JobName, OnDemandKind } from '../job-kinds.ts';
import { type JobCounts, type JobHandlers, JobPostponed, type JobQueue, type JobQueueOptions } from '../job-queue.ts';
import type { JobCalls, JobOrders, JobOutcome } from './jobs-host.ts';

export interface PrimaryJobsOptions extends JobQueueOptions {
  readonly channel: Channel;
}

export const openPrimaryJobs = (options: PrimaryJobsOptions): JobQueue => new PrimaryJobs(options);

class PrimaryJobs implements JobQueue {
  readonly shared = true;
  readonly #options: PrimaryJobsOptions;
  readonly #primary: Caller<JobCalls>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<JobOutcome>>();
  #resting = false;

  constructor(options: PrimaryJobsOptions) {
    this.#options = options;
    this.#primary = options.channel.caller<JobCalls>();
  }

  begin(handlers: JobHandlers): void {
    this.#options.channel.serve<JobOrders>({
      runJob: async (kind, name) => {
        const run = this.#run(handlers, kind, name);
        this.#running.add(run);
        try {
          return await run;
        } finally {
          this.#running.delete(run);
        }
      },
      jobIsOver: (kind, name) => {
        if (!this.#closing.signal.aborted) handlers[kind].after?.(name);
      },
    });
    this.#primary.tell('takeJobs', this.#options.concurrency);
  }

  async add(kind: OnDemandKind, name: JobName): Promise<void> {
    if (this.#closing.signal.aborted) throw new DaemonError('unavailable', 'the daemon is shutting down');
    await this.#primary.call('addJob', kind, name);
  }

  async counts(): Promise<JobCounts> {
    return await this.#primary.call('countJobs');
  }

  rest(): void {
    this.#resting = true;
    this.#primary.tell('takeJobs', 0);
  }

  async close(): Promise<void> {
    this.rest();
    this.#closing.abort(new Error('the daemon is shutting down'));
    await Promise.all(this.#running);
  }

  /** Never rejects. */
  async #run(handlers: JobHandlers, kind: JobKind, name: JobName): Promise<JobOutcome> {
    const { signal } = this.#closing;
    const { onEnd } = this.#options;
    // It was on its way here when this worker stopped taking jobs.
    if (this.#resting || signal.aborted) return { is: 'given-back' };
    try {
      await handlers[kind].run(name, { signal });
      onEnd?.({ kind, outcome: 'done' });
      return { is: 'done' };
    } catch (error) {
      if (signal.aborted) {
        onEnd?.({ kind, outcome: 'handed-over' });
        return { is: 'given-back' };
      }
      if (error instanceof JobPostponed) {
        onEnd?.({ kind, outcome: 'postponed' });
        return { is: 'postponed', delayMs: error.delayMs };
      }
      onEnd?.({ kind, outcome: 'failed' });
      return { is: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }
}
