/** Single calls: how long one takes alone, how many fit when 8 or 64 are under way, and the time to a first chunk. */
import { faultlessLoop, quantile, readStream } from '../load/index.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const MAX_REQUESTS = 500_000;
const FIRST_CHUNK_CALLS = { kept: 1800, fresh: 200 } as const;
/** What the plugin's streams consist of. */
const CHUNK = 'x'.repeat(50);
/** The first calls of an action are mostly the engine's compiling. */
const WARM_CALLS = 1000;

export const toolCalls: Measurement = {
  name: 'calls',
  title: 'Tool calls',
  async run(bench) {
    await bench.ensure('tool');
    const request = bench.toolRequest('echo', { text: 'hello' });
    const loop = (connections: number, maxMs: number) =>
      faultlessLoop({ url: bench.target.url, request, connections, maxMs, maxRequests: MAX_REQUESTS, expect: 'hello' });
    await loop(8, 2000);
    const figures: Figure[] = [];
    for (const connections of [1, 8, 64]) {
      const measured = await bench.repeat(() => bench.withCpu(() => loop(connections, bench.seconds * 1000)));
      const runs = measured.map((run) => run.result);
      const cpu = cpuNote(measured.map((run) => run.cpu / run.result.latencies.length));
      const name = `calls.c${connections}`;
      figures.push(
        bench.figure(
          `${name}.perSecond`,
          runs.map((run) => run.perSecond),
          cpu,
        ),
      );
      figures.push(
        bench.figure(
          `${name}.p50`,
          runs.map((run) => quantile(run.latencies, 0.5)),
        ),
      );
      figures.push(
        bench.figure(
          `${name}.p99`,
          runs.map((run) => quantile(run.latencies, 0.99)),
        ),
      );
    }
    return figures;
  },
};

export const firstChunk: Measurement = {
  name: 'first',
  title: 'Time to the first chunk',
  async run(bench) {
    await bench.ensure('tool');
    await bench.ensure('model');
    const parameters = { count: 2, size: CHUNK.length };
    const figures: Figure[] = [];
    for (const [kind, request] of [
      ['tool', bench.toolRequest('stream', parameters)],
      ['llm', bench.llmRequest(parameters)],
    ] as const) {
      const take = async (connection: 'kept' | 'fresh', prefix: string) => {
        const firsts = connection === 'kept' ? firstsOfKept : firstsOfFresh;
        await firsts(bench, request, WARM_CALLS);
        const runs = await bench.repeat(async () => await firsts(bench, request, FIRST_CHUNK_CALLS[connection]));
        for (const [name, share] of [
          ['p50', 0.5],
          ['p99', 0.99],
        ] as const)
          figures.push(
            bench.figure(
              `${prefix}.${name}`,
              runs.map((run) => quantile(run, share)),
            ),
          );
      };
      await take('kept', `first.${kind}`);
      await take('fresh', `first.${kind}.fresh`);
    }
    return figures;
  },
};

/** One call after the other over one connection, as the pool of an HTTP client makes them. */
async function firstsOfKept({ target }: Bench, request: Buffer, calls: number): Promise<readonly number[]> {
  const loop = { url: target.url, request, connections: 1, maxMs: 60_000, maxRequests: calls, expect: CHUNK };
  return (await faultlessLoop({ ...loop, until: 'first byte' })).latencies;
}

/** A connection for each call; opening it counts. */
async function firstsOfFresh({ target }: Bench, request: Buffer, calls: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const result = await readStream(target.url, request);
    if (result.firstMs === undefined || result.events !== 2) throw new Error(`a stream broke off: ${result.tail}`);
    times.push(result.firstMs);
  }
  return times;
}
