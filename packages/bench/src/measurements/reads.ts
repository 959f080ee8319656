/** What Dify and probes ask for all day: ids of a category and models, eight at a time, and the health check, 64 at a time. */
import { faultlessLoop } from '../load/index.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const MAX_REQUESTS = 500_000;
const WARM_MS = 1000;

interface Read {
  readonly id: string;
  readonly path: (tenant: string) => string;
  readonly connections: number;
  /** What a right answer holds. */
  readonly expect: string;
}

const reads: readonly Read[] = [
  {
    id: 'lists.ids.c8',
    path: (tenant) => `/plugin/${tenant}/management/installation/ids?category=tool`,
    connections: 8,
    expect: 'speed-tool',
  },
  {
    id: 'lists.models.c8',
    path: (tenant) => `/plugin/${tenant}/management/models?page=1&page_size=256`,
    connections: 8,
    expect: 'speed-model',
  },
  { id: 'health.c64', path: () => '/health/check', connections: 64, expect: 'ok' },
];

export const plainReads: Measurement = {
  name: 'lists',
  title: 'Lists and health',
  async run(bench) {
    await bench.ensure('tool');
    await bench.ensure('model');
    const figures: Figure[] = [];
    for (const read of reads) figures.push(await rate(bench, read));
    return figures;
  },
};

async function rate(bench: Bench, { id, path, connections, expect }: Read): Promise<Figure> {
  const request = bench.request({ method: 'GET', path: path(bench.client.tenant) });
  const loop = (maxMs: number) =>
    faultlessLoop({ url: bench.target.url, request, connections, maxMs, maxRequests: MAX_REQUESTS, expect });
  await loop(WARM_MS);
  const runs = await bench.repeat(() => bench.withCpu(() => loop(bench.seconds * 1000)));
  return bench.figure(
    id,
    runs.map((run) => run.result.perSecond),
    cpuNote(runs.map((run) => run.cpu / run.result.latencies.length)),
  );
}
