/** Single calls: how long one takes alone, how many fit when 8 or 64 are under way, and the time to a first chunk. */
import { faultlessLoop, quantile, readStream } from '../load/index.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const MAX_REQUESTS = 500_000;
const FIRST_CHUNK_CALLS = 200;
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
    const parameters = { count: 2, size: 50 };
    const figures: Figure[] = [];
    for (const [kind, request] of [
      ['tool', bench.toolRequest('stream', parameters)],
      ['llm', bench.llmRequest(parameters)],
    ] as const) {
      await firsts(bench, request, WARM_CALLS);
      const runs = await bench.repeat(async () => await firsts(bench, request));
      figures.push(
        bench.figure(
          `first.${kind}.p50`,
          runs.map((run) => quantile(run, 0.5)),
        ),
      );
      figures.push(
        bench.figure(
          `first.${kind}.p99`,
          runs.map((run) => quantile(run, 0.99)),
        ),
      );
    }
    return figures;
  },
};

async function firsts(bench: Bench, request: Buffer, calls = FIRST_CHUNK_CALLS): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < calls; i++) {
    const result = await readStream(bench.target.url, request);
    if (result.firstMs === undefined || result.events !== 2) throw new Error(`a stream broke off: ${result.tail}`);
    times.push(result.firstMs);
  }
  return times;
}
