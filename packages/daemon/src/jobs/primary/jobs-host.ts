import type { Caller, Channel } from '../../ipc/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { type JobKind, type JobName, jobKinds, type OnDemandKind } from '../job-kinds.ts';
import { type JobCounts, type JobHandler, type JobHandlers, JobPostponed, type JobQueue } from '../job-queue.ts';
import { openMemoryJobs } from '../memory/index.ts';

/** What workers ask of the primary process. */
export interface JobCalls {
  /** @param concurrency jobs on demand that the worker does at once; 0: it takes no more */
  takeJobs(concurrency: number): void;
  addJob(kind: OnDemandKind, name: JobName): void;
  countJobs(): JobCounts;
}

/** How a run ended; `given-back`: the worker stops, another one goes on. */
export type JobOutcome =
  | { readonly is: 'done' | 'given-back' }
  | { readonly is: 'postponed'; readonly delayMs: number }
  | { readonly is: 'failed'; readonly reason: string };

/** What it asks of them. */
export interface JobOrders {
  runJob(kind: JobKind, name: JobName): JobOutcome;
  jobIsOver(kind: JobKind, name: JobName): void;
}

interface Taker {
  readonly worker: Caller<JobOrders>;
  concurrency: number;
  running: number;
}

/** The jobs of all workers. */
export class JobsHost {
  readonly #log: Log;
  readonly #queue: JobQueue;
  readonly #takers = new Set<Taker>();
  /** Who waits for a worker with room. */
  #free = Promise.withResolvers<void>();
  /** Who did a job last. */
  readonly #last = new Map<string, Taker>();

  constructor(log: Log) {
    this.#log = log;
    this.#queue = openMemoryJobs({ log, concurrency: Number.POSITIVE_INFINITY });
    const handler = (kind: JobKind): JobHandler => ({
      run: (name, { signal }) => this.#run(kind, name, signal),
      after: (name) => this.#over(kind, name),
    });
    // The keys of the table.
    const kinds = Object.keys(jobKinds) as JobKind[];
    this.#queue.begin(Object.fromEntries(kinds.map((kind) => [kind, handler(kind)])) as unknown as JobHandlers);
  }

  /** Gives one worker its share. */
  serve(channel: Channel): void {
    const taker: Taker = { worker: channel.caller<JobOrders>(), concurrency: 0, running: 0 };
    channel.serve<JobCalls>({
      takeJobs: (concurrency) => {
        taker.concurrency = concurrency;
        if (concurrency === 0) this.#takers.delete(taker);
        else this.#takers.add(taker);
        this.#look();
      },
      addJob: (kind, name) => this.#queue.add(kind, name),
      countJobs: () => this.#queue.counts(),
    });
    channel.onClosed(() => this.#takers.delete(taker));
  }

  async close(): Promise<void> {
    const closed = this.#queue.close();
    this.#look();
    await closed;
  }

  async #run(kind: JobKind, name: JobName, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const taker = this.#choose(kind);
      if (taker === undefined) {
        await this.#free.promise;
        continue;
      }
      // Rounds that recur take nobody's place.
      const place = jobKinds[kind].recurs ? 0 : 1;
      taker.running += place;
      this.#last.set(`${kind}\n${name}`, taker);
      // A worker that dies gives back what it was doing.
      const gaveBack = (): JobOutcome => ({ is: 'given-back' });
      const outcome = await taker.worker.call('runJob', kind, name).catch(gaveBack);
      taker.running -= place;
      if (outcome.is === 'given-back') this.#takers.delete(taker);
      this.#look();
      if (outcome.is === 'done') return;
      if (outcome.is === 'postponed') throw new JobPostponed(outcome.delayMs);
      if (outcome.is === 'failed') throw new Error(outcome.reason);
      if (!signal.aborted) this.#log.info({ job: kind, name }, 'a job lost its worker: another one does it');
    }
  }

  #choose(kind: JobKind): Taker | undefined {
    const able = [...this.#takers].filter(({ running, concurrency }) => jobKinds[kind].recurs || running < concurrency);
    return able.toSorted((a, b) => a.running - b.running)[0];
  }

  #over(kind: JobKind, name: JobName): void {
    const key = `${kind}\n${name}`;
    this.#last.get(key)?.worker.tell('jobIsOver', kind, name);
    this.#last.delete(key);
  }

  #look(): void {
    this.#free.resolve();
    this.#free = Promise.withResolvers();
  }
}
