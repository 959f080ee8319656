/** A worker among the workers of its daemon: what it answers for all of them, and what it does when one has died. */
import { isObject } from '@plugin-daemon/values';
import type { Database } from '../database/index.ts';
import type { HealthFigures, HealthState } from '../http/health/index.ts';
import type { Caller } from '../ipc/index.ts';
import type { Membership } from '../nodes/index.ts';
import { createMetrics, type Metrics, type MetricValues, renderMerged } from '../telemetry/index.ts';
import type { PrimaryCalls, WorkerCalls, WorkerQuestion, WorkersSaid } from '../workers/index.ts';
import type { WorkerSeat } from './worker-seat.ts';

interface Answers {
  readonly metrics: {
    readonly values: MetricValues;
    /** Versions that are ready: one that runs on two workers is one. */
    readonly ready: readonly string[];
  };
  readonly figures: HealthFigures;
  readonly state: HealthState;
}

export interface SiblingsParts {
  readonly seat: WorkerSeat;
  readonly metrics: Metrics;
  readonly database: Pick<Database, 'endLeasesOf'>;
  readonly membership: Pick<Membership, 'bury'> | undefined;
  /** Versions that are ready here. */
  readonly ready: () => readonly string[];
}

/** What each worker knows of a part of the whole, so that the figures of the parts say nothing. */
const OF_THE_WHOLE: ReadonlySet<unknown> = new Set(['active_plugins_total', 'workers', 'worker_restarts']);

export class Siblings {
  readonly #count: number;
  readonly #primary: Caller<PrimaryCalls>;
  readonly #own: { [Question in WorkerQuestion]?: () => Promise<Answers[Question]> } = {};

  constructor({ seat, metrics, database, membership, ready }: SiblingsParts) {
    this.#count = seat.count;
    this.#primary = seat.channel.caller<PrimaryCalls>();
    this.#own.metrics = async () => ({ values: await metrics.collect(), ready: ready() });
    seat.channel.serve<Pick<WorkerCalls, 'answer' | 'bury' | 'ping'>>({
      answer: async (question) => await this.#own[question]?.(),
      bury: async (nodeId) => {
        await Promise.all([membership?.bury(nodeId), database.endLeasesOf(nodeId)]);
      },
      ping: () => undefined,
    });
  }

  /** @param own the answer of this worker @returns that of all of them */
  ofAll<Question extends Merged>(
    question: Question,
    own: () => Promise<Answers[Question]>,
  ): () => Promise<Answers[Question]> {
    Object.assign(this.#own, { [question]: own });
    const merge = merging[question];
    return async () => {
      const said = await this.#primary.call('askWorkers', question);
      return merge(answersOf<Answers[Question]>(said), said, this.#count);
    };
  }

  /** The page of the metrics of all workers. */
  async metricsOfAll(): Promise<string> {
    const said = await this.#primary.call('askWorkers', 'metrics');
    const answers = answersOf<Answers['metrics']>(said);
    const whole = createMetrics({ enabled: true });
    whole.workers.set({}, said.serving);
    whole.worker_restarts.set({}, said.restarts);
    whole.active_plugins_total.set({ runtime_type: 'local' }, new Set(answers.flatMap(({ ready }) => ready)).size);
    const parts = answers.map(({ values }) => values.filter((one) => !('name' in one && OF_THE_WHOLE.has(one.name))));
    return await renderMerged([...parts, await whole.collect()]);
  }

  /** Resolves when the clients of every worker have their answers. */
  readonly served = async (): Promise<void> => {
    // Without a primary process there is nobody to wait for.
    await this.#primary.call('clientsServed').catch(() => undefined);
  };
}

/** They were written by this same program. */
const answersOf = <Answer>({ answers }: WorkersSaid): readonly Answer[] =>
  answers.filter(isObject) as unknown as readonly Answer[];

type Merged = Exclude<WorkerQuestion, 'metrics'>;

const merging: {
  readonly [Question in Merged]: (
    all: readonly Answers[Question][],
    said: WorkersSaid,
    count: number,
  ) => Answers[Question];
} = {
  figures: (all) => ({
    requests: sum(all.map(({ requests }) => requests)),
    dispatches: sum(all.map(({ dispatches }) => dispatches)),
    sessions: sum(all.map(({ sessions }) => sessions)),
  }),
  state: (all, { silent, complete, serving }, count) => ({
    problems: {
      parts: {
        ...merged(all.map(({ problems }) => problems.parts)),
        ...merged(silent.map((index) => ({ [`worker ${index}`]: 'does not answer' }))),
        // One that has died is being replaced, and the others serve.
        ...(!complete && { workers: `${serving} of ${count} have started` }),
      },
      plugins: merged(all.map(({ problems }) => problems.plugins)),
    },
    isolation: merged(all.map(({ isolation }) => isolation)),
    starts: merged(all.map(({ starts }) => starts)),
    parents: all.flatMap(({ parents }) => parents),
  }),
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const merged = (records: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> =>
  Object.assign({}, ...records);
