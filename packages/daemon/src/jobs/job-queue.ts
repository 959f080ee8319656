import type { Log } from '../telemetry/index.ts';
import type { JobKind, JobName, OnDemandKind } from './job-kinds.ts';

/** What a job gets while it runs. */
export interface JobControl {
  /** Aborted when this node closes. A job that then rejects is done by another node, where there can be one. */
  readonly signal: AbortSignal;
}

export interface JobHandler {
  /**
   * Does it. It may be called again for the same job, also while an earlier call of this or another node still runs.
   * @throws JobPostponed to be called again later; anything else is tried again a few times
   */
  run(name: JobName, control: JobControl): Promise<void>;
  /** Called once the name is free again, whatever became of the job: what was asked for too late to be seen by it is seen now. */
  after?(name: JobName): void;
}

export type JobHandlers = { readonly [Kind in JobKind]: JobHandler };

/** The job cannot be done yet. */
export class JobPostponed extends Error {
  override readonly name = 'JobPostponed';
  readonly delayMs: number;

  constructor(delayMs: number) {
    super(`the job is postponed for ${delayMs} ms`);
    this.delayMs = delayMs;
  }
}

/** How one run of a job on this node ended. */
export interface JobEnd {
  readonly kind: JobKind;
  readonly outcome: 'done' | 'failed' | 'postponed' | 'handed-over';
}

/** Jobs on demand, of all nodes. */
export interface JobCounts {
  readonly waiting: number;
  readonly active: number;
  /** To be tried again later. */
  readonly delayed: number;
}

export interface JobQueueOptions {
  readonly log: Log;
  /** Jobs on demand that this node does at once. */
  readonly concurrency: number;
  readonly onEnd?: (end: JobEnd) => void;
}

export interface JobQueue {
  /** Whether other nodes take jobs as well, and those of a node that died are taken over. */
  readonly shared: boolean;
  /** Begins to take jobs. Resolves without waiting for any server. */
  begin(handlers: JobHandlers): void;
  /**
   * Asks for work. While a job of this name waits or runs it is that one. When the others cannot be asked, this node does it: two
   * nodes may then do the same at once, which its handler has to bear.
   * @throws DaemonError `unavailable` when nobody can be asked now
   */
  add(kind: OnDemandKind, name: JobName): Promise<void>;
  /** @throws DaemonError `unavailable` */
  counts(): Promise<JobCounts>;
  /** Takes no more jobs that other nodes can do; what runs goes on. */
  rest(): void;
  /** Takes no more jobs and ends those that run; where there are other nodes they go on there. */
  close(): Promise<void>;
}

/** A run that fails for no fault of the work, such as a database that is away, is tried again this often. */
export const JOB_ATTEMPTS = 5;
/** After the first failed run; doubled with each. */
export const JOB_RETRY_MS = 1000;
