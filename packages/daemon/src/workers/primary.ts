import { setTimeout as pause } from 'node:timers/promises';
import { type Cache, openMemoryCache, serveCache } from '../cache/index.ts';
import { JobsHost } from '../jobs/index.ts';
import { MemoryNodeDirectory, serveDirectory } from '../nodes/index.ts';
import { DebuggingKeys, type KeptKeys } from '../runtimes/debugging/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { WorkerFacts, WorkerQuestion, WorkersSaid } from './contract.ts';
import { Worker } from './worker.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface PrimaryOptions {
  readonly count: number;
  readonly start: (index: number) => WorkerProcess;
  readonly log: Log;
  /** Connection keys of debugging; undefined where Redis keeps them. */
  readonly keys: KeptKeys | undefined;
  /** Every worker serves, for the first time. */
  readonly onServing: (facts: WorkerFacts) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
/** Who lived so long did not die of its start. */
const LONG_LIFE_MS = 60_000;
const ANSWER_MS = 2000;
const PING_EVERY_MS = 5000;
/** A worker whose event loop stands still for so many pings does not come back; the leases of what it holds are as long. */
const MOST_UNANSWERED = 6;

/** The workers of this daemon, and what they share. */
export class Primary {
  readonly #options: PrimaryOptions;
  readonly #cache: Cache;
  readonly #directory = new MemoryNodeDirectory();
  readonly #jobs: JobsHost;
  readonly #workers = new Map<number, Worker>();
  readonly #lives: Promise<void>[] = [];
  readonly #stopping = new AbortController();
  readonly #allServed = Promise.withResolvers<void>();
  readonly #pings: NodeJS.Timeout;
  #everOpened = false;
  #served = false;
  #restarts = 0;
  #failure: number | undefined;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { log } = options;
    this.#cache = openMemoryCache({ onListenerError: (error) => log.error({ error }, 'a worker could not be told') });
    this.#jobs = new JobsHost(log.child({ component: 'jobs' }));
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS).unref();
  }

  /** Resolves when every worker has ended for good. @returns the exit code of this process */
  async run(): Promise<number> {
    const { log, count, keys } = this.#options;
    if (keys !== undefined) await new DebuggingKeys({ cache: this.#cache, kept: keys }).restored;
    // The others are started when the first one has brought the database up to date.
    this.#lives.push(this.#live(1));
    for (let index = 0; index < this.#lives.length; index++) await this.#lives[index];
    clearInterval(this.#pings);
    await this.#jobs.close();
    await this.#cache.close();
    log.info({ workers: count }, 'all workers have stopped');
    return this.#failure ?? 0;
  }

  /** The first time open calls may finish; the second time they are ended. */
  stop(): void {
    this.#stopping.abort();
    for (const worker of this.#workers.values()) worker.calls.tell('stop');
  }

  /** Ends every worker now. */
  kill(): void {
    this.#stopping.abort();
    for (const worker of this.#workers.values()) worker.process.kill('SIGKILL');
  }

  /** Of the workers that serve. */
  get pids(): readonly number[] {
    return [...this.#workers.values()].flatMap(({ process }) => process.pid ?? []);
  }

  /** One seat, from its first worker to its last. */
  async #live(index: number): Promise<void> {
    const { log } = this.#options;
    for (let deaths = 0; !this.#stopping.signal.aborted; ) {
      const startedAt = performance.now();
      const worker = this.#start(index);
      const { code, signal } = await worker.process.exited;
      this.#workers.delete(index);
      this.#lookAtServed();
      if (this.#stopping.signal.aborted) {
        if (code !== 0) this.#failure ??= code ?? 1;
        return;
      }
      const fields = { worker: index, pid: worker.process.pid, code, signal };
      if (!this.#served) {
        // It has said why. What one cannot, the others cannot either.
        log.error(fields, 'a worker could not start: the daemon stops');
        this.#failure = code === null || code === 0 ? 1 : code;
        return this.stop();
      }
      deaths = performance.now() - startedAt > LONG_LIFE_MS ? 1 : deaths + 1;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (deaths - 1), LONGEST_PAUSE_MS);
      log.error({ ...fields, again_in_ms: pauseMs }, 'a worker died: its calls are lost, another one takes its place');
      await this.#bury(worker);
      this.#restarts++;
      await pause(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
  }

  #start(index: number): Worker {
    const { start, count } = this.#options;
    const worker: Worker = new Worker(index, start(index), {
      takeSeat: () => ({ index, count, isFirst: !this.#everOpened }),
      nodeIs: (nodeId) => {
        worker.nodeId = nodeId;
      },
      databaseIsOpen: () => {
        if (this.#everOpened) return;
        this.#everOpened = true;
        for (let next = 2; next <= count; next++) this.#lives.push(this.#live(next));
      },
      nowServing: (facts) => {
        worker.serves = true;
        const serving = [...this.#workers.values()].filter(({ serves }) => serves).length;
        if (this.#served || serving < count) return;
        this.#served = true;
        this.#options.onServing(facts);
      },
      keepKey: (tenantId, key) => this.#options.keys?.keep(tenantId, key),
      askWorkers: (question) => this.#ask(question),
      clientsServed: () => {
        worker.hasServed = true;
        this.#lookAtServed();
        return this.#allServed.promise;
      },
    });
    this.#workers.set(index, worker);
    serveCache(worker.channel, this.#cache);
    serveDirectory(worker.channel, this.#directory);
    this.#jobs.serve(worker.channel);
    return worker;
  }

  #lookAtServed(): void {
    if ([...this.#workers.values()].every(({ hasServed }) => hasServed)) this.#allServed.resolve();
  }

  /** Nobody waits for the leases of a dead worker to run out. */
  async #bury({ nodeId }: Worker): Promise<void> {
    if (nodeId === undefined) return;
    await this.#directory.leave(nodeId);
    const survivor = [...this.#workers.values()].find(({ serves }) => serves);
    await survivor?.calls
      .call('bury', nodeId)
      .catch((error: unknown) =>
        this.#options.log.warn({ error }, 'what a dead worker held is free when its leases run out'),
      );
  }

  async #ask(question: WorkerQuestion): Promise<WorkersSaid> {
    const serving = [...this.#workers.values()].filter(({ serves }) => serves);
    const silent: number[] = [];
    const answers = await Promise.all(
      serving.map(async ({ index, calls }) => {
        const ended = new AbortController();
        const late = pause(ANSWER_MS, undefined, { signal: ended.signal, ref: false }).then(
          () => void silent.push(index),
          () => undefined,
        );
        // One that dies meanwhile is missed by nobody.
        const answer = calls.call('answer', question).catch(() => undefined);
        const first = await Promise.race([answer, late]);
        ended.abort();
        return first;
      }),
    );
    return {
      answers: answers.filter((answer) => answer !== undefined),
      silent,
      serving: serving.length,
      complete: this.#served,
      restarts: this.#restarts,
    };
  }

  #ping(): void {
    for (const worker of this.#workers.values()) {
      if (worker.unanswered >= MOST_UNANSWERED) {
        this.#options.log.error({ worker: worker.index, pid: worker.process.pid }, 'a worker hangs: it is ended');
        worker.process.kill('SIGKILL');
      }
      worker.unanswered++;
      worker.calls.call('ping').then(
        () => {
          worker.unanswered = 0;
        },
        () => undefined,
      );
    }
  }
}
