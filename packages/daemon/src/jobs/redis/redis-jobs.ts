import { messageOf } from '@plugin-daemon/values';
import type * as BullMQ from 'bullmq';
import type { Job, Queue, Worker } from 'bullmq';
import { openQueueClient, type QueueClient, type RedisServers } from '../../cache/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { isJobKind, type JobName, type OnDemandKind } from '../job-kinds.ts';
import {
  JOB_ATTEMPTS,
  JOB_RETRY_MS,
  type JobCounts,
  type JobEnd,
  type JobHandlers,
  JobPostponed,
  type JobQueue,
  type JobQueueOptions,
} from '../job-queue.ts';
import { openMemoryJobs } from '../memory/index.ts';
import { giveBack, later, named, nameOf, within } from './library.ts';
import { ask, COMMAND_MS } from './questions.ts';
import { Schedules } from './schedules.ts';
import { StandIn } from './stand-in.ts';

export interface RedisJobsOptions extends JobQueueOptions {
  readonly servers: RedisServers;
  /** REDIS_KEY_PREFIX. */
  readonly prefix: string;
  /**
   * For a node that leaves jobs to others: whether some are there. It asks for jobs; while nobody does them it takes those on demand, so that
   * who waits for them hears what is missing.
   */
  readonly leavesTo?: (() => boolean) | undefined;
  /** How often such a node looks, in ms. */
  readonly lookMs?: number;
}

/**
 * How soon a dead node's job goes to another: its lock runs out, the next look finds it stalled. Losing a lock costs nothing
 * but a second attempt that finds the work being done, so these may be short.
 */
const LOCK_MS = 5000;
const STALLED_LOOK_MS = 2500;
/** The same for rounds, which nobody waits for. */
const STALLED_ROUND_LOOK_MS = 15_000;
/** How often a job may lose its node is decided by its handler, which knows why. */
const STALLED_LIMIT = 1_000_000;
/** What the library says of a job whose lock ran out or was flushed. */
const LOST_JOB = /Missing (lock|key) for job|renew lock for job/;
/** How long closing waits for a server that does not answer. */
const CLOSE_MS = 5000;
/**
 * Names of the queues. A version of this program that says something else in its jobs takes other names: nodes of two versions stand
 * side by side, and each does what it understands.
 */
const ON_DEMAND = 'work-1';
const RECURRING = 'upkeep-1';

export async function openRedisJobs(options: RedisJobsOptions): Promise<JobQueue> {
  const [library, client] = await Promise.all([import('bullmq'), openQueueClient(options.servers)]);
  return new RedisJobs(library, client, options);
}

class RedisJobs implements JobQueue {
  readonly shared = true;
  readonly #library: typeof BullMQ;
  readonly #client: QueueClient;
  readonly #options: RedisJobsOptions;
  readonly #queues: { readonly onDemand: Queue; readonly recurring: Queue };
  readonly #workers: Worker[] = [];
  readonly #schedules: Schedules;
  readonly #closing = new AbortController();
  /** What nobody else could be asked for. */
  readonly #here: JobQueue;
  #standIn: StandIn | undefined;
  #problem: string | undefined;
  #resting = false;

  constructor(library: typeof BullMQ, client: QueueClient, options: RedisJobsOptions) {
    this.#library = library;
    this.#client = client;
    this.#options = options;
    this.#here = openMemoryJobs({ ...options, recurring: false });
    const queue = (name: string): Queue => {
      const made = new library.Queue(name, { ...this.#common(), skipWaitingForReady: true });
      made.on('error', (error: Error) => this.#troubled(error));
      return made;
    };
    this.#queues = { onDemand: queue(ON_DEMAND), recurring: queue(RECURRING) };
    this.#schedules = new Schedules({
      client,
      queue: this.#queues.recurring,
      log: options.log,
      onTrouble: (error) => this.#troubled(error),
    });
  }

  begin(handlers: JobHandlers): void {
    const { leavesTo: others, lookMs } = this.#options;
    if (others !== undefined) {
      this.#standIn = new StandIn({
        others,
        turn: (on) => this.#turn(on, handlers),
        ...(lookMs !== undefined && { lookMs }),
      });
      return;
    }
    this.#here.begin(handlers);
    this.#work(ON_DEMAND, handlers, this.#options.concurrency, STALLED_LOOK_MS);
    this.#work(RECURRING, handlers, 1, STALLED_ROUND_LOOK_MS);
    this.#schedules.begin();
  }

  async add(kind: OnDemandKind, name: JobName): Promise<void> {
    try {
      await ask(this.#client, 'be asked for a job', () =>
        this.#queues.onDemand.add(kind, named(name), {
          jobId: `${kind}~${nameOf(name)}`,
          attempts: JOB_ATTEMPTS,
          backoff: { type: 'exponential', delay: JOB_RETRY_MS },
          // What is kept would be in the way of the same work the next time.
          removeOnComplete: true,
          removeOnFail: true,
        }),
      );
    } catch (error) {
      if (this.#options.leavesTo !== undefined) throw error;
      this.#log.warn({ err: error, job: kind, name }, 'other nodes cannot be asked for a job: it is done here');
      await this.#here.add(kind, name);
    }
  }

  async counts(): Promise<JobCounts> {
    const {
      waiting = 0,
      prioritized = 0,
      active = 0,
      delayed = 0,
    } = await ask(this.#client, 'count jobs', () =>
      this.#queues.onDemand.getJobCounts('waiting', 'prioritized', 'active', 'delayed'),
    );
    return { waiting: waiting + prioritized, active, delayed };
  }

  rest(): void {
    this.#resting = true;
    this.#standIn?.close();
    this.#pause();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the daemon is shutting down'));
    this.#standIn?.close();
    const ended = Promise.all([
      this.#here.close(),
      this.#schedules.close(),
      ...this.#workers.map((worker) => worker.close()),
    ]);
    await within(CLOSE_MS, ended).catch((error: unknown) => {
      this.#log.warn(
        { err: error },
        'jobs of this node could not be handed over; others take them when their locks run out',
      );
    });
    const queues = Object.values(this.#queues).map((queue) => queue.close());
    await within(COMMAND_MS, Promise.all(queues)).catch(() => undefined);
    // What still waits for a server that is away ends with its connection.
    this.#client.disconnect();
  }

  /** What runs goes on. */
  #pause(): void {
    for (const worker of this.#workers) worker.pause(true).catch((error: unknown) => this.#troubled(error));
  }

  /** Takes jobs in place of nodes that are not there, or leaves them to those that came. */
  #turn(on: boolean, handlers: JobHandlers): void {
    if (!on) {
      this.#log.info('nodes that do jobs are there again: they are left to those');
      return this.#pause();
    }
    this.#log.warn(
      { remedy: 'start nodes whose NODE_ROLE is all or runner' },
      'no node that may run plugins is there: installations wait for one',
    );
    if (this.#workers.length === 0) return this.#work(ON_DEMAND, handlers, this.#options.concurrency, STALLED_LOOK_MS);
    for (const worker of this.#workers) worker.resume().catch((error: unknown) => this.#troubled(error));
  }

  #common() {
    return {
      connection: this.#client,
      prefix: `${this.#options.prefix}:{bq}`,
      // It writes to the terminal by itself; what a version lacks would show as an error.
      skipVersionCheck: true,
    };
  }

  #work(queue: string, handlers: JobHandlers, concurrency: number, stalledInterval: number): void {
    const worker: Worker = new this.#library.Worker(
      queue,
      (job: Job, token?: string) => this.#run(handlers, job, token),
      {
        ...this.#common(),
        concurrency,
        lockDuration: LOCK_MS,
        stalledInterval,
        maxStalledCount: STALLED_LIMIT,
        runRetryDelay: 1000,
      },
    );
    const after = (job: Job | undefined) => {
      if (job === undefined || this.#closing.signal.aborted || !isJobKind(job.name)) return;
      const name = named.read(job.data);
      if (name !== undefined) handlers[job.name].after?.(name);
    };
    worker.on('completed', after);
    worker.on('failed', after);
    worker.on('ready', () => {
      this.#problem = undefined;
    });
    worker.on('error', (error) => this.#troubled(error));
    worker.on('stalled', (id) => this.#log.warn({ job: id }, 'a job lost its node: it is done by another one'));
    this.#workers.push(worker);
  }

  /** Whatever it throws is what the library does with the job. */
  async #run(handlers: JobHandlers, job: Job, token: string | undefined): Promise<void> {
    const { name: kind } = job;
    const name = named.read(job.data);
    if (!isJobKind(kind) || name === undefined) {
      this.#log.error({ job: job.id }, 'a job of nobody was dropped');
      throw new this.#library.UnrecoverableError('not a job of this version');
    }
    const { signal } = this.#closing;
    // It was on its way here when this node stopped taking jobs.
    if (signal.aborted || this.#resting) return await giveBack(this.#library, job, token);
    try {
      await handlers[kind].run(name, { signal });
    } catch (error) {
      if (signal.aborted) {
        this.#ended({ kind, outcome: 'handed-over' });
        return await giveBack(this.#library, job, token);
      }
      if (error instanceof JobPostponed) {
        this.#ended({ kind, outcome: 'postponed' });
        return await later(this.#library, job, token, error.delayMs);
      }
      this.#log.error({ err: error, job: kind, name, failures: job.attemptsMade + 1 }, 'a job failed');
      this.#ended({ kind, outcome: 'failed' });
      throw error;
    }
    this.#problem = undefined;
    this.#ended({ kind, outcome: 'done' });
  }

  /** The library tries again by itself; each trouble is told once. */
  #troubled(error: unknown): void {
    const problem = messageOf(error);
    if (this.#closing.signal.aborted || problem === this.#problem) return;
    if (LOST_JOB.test(problem)) {
      // Who may write what comes of it is not decided in Redis.
      this.#log.info(
        { reason: problem },
        'Redis does not know of a job any more that runs here, or gave it to another node',
      );
      return;
    }
    this.#problem = problem;
    this.#log.warn({ err: error }, 'jobs cannot be taken from Redis now; it is tried again until it answers');
  }

  #ended(end: JobEnd): void {
    this.#options.onEnd?.(end);
  }

  get #log(): Log {
    return this.#options.log;
  }
}
