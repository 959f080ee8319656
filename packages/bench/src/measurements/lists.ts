/** The list of installed plugins with 53 of them, and how long a restart takes until they answer again. */
import { faultlessLoop, quantile } from '../load/index.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

const PLUGINS = 53;
const INSTALLED_AT_ONCE = 4;
const MAX_REQUESTS = 20_000;

export const manyPlugins: Measurement = {
  name: 'many',
  title: `With ${PLUGINS} plugins installed`,
  async run(bench) {
    const names = await installMany(bench);
    const request = bench.request({
      method: 'GET',
      path: `/plugin/${bench.client.tenant}/management/list?page=1&page_size=256`,
    });
    const figures: Figure[] = [];
    for (const connections of [1, 8]) {
      const runs = await bench.repeat(() =>
        faultlessLoop({
          url: bench.target.url,
          request,
          connections,
          maxMs: 2000,
          maxRequests: MAX_REQUESTS,
          expect: names[0] ?? '',
        }),
      );
      figures.push(
        bench.figure(
          `list.c${connections}.perSecond`,
          runs.map((run) => run.perSecond),
        ),
      );
      if (connections === 1)
        figures.push(
          bench.figure(
            'list.c1.p50',
            runs.map((run) => quantile(run.latencies, 0.5)),
          ),
        );
    }
    return [...figures, ...(await restart(bench, names))];
  },
};

async function installMany(bench: Bench): Promise<string[]> {
  const installed = await bench.client.list();
  const names = Array.from(
    { length: PLUGINS - Math.min(PLUGINS, installed.length) },
    (_, i) => `many-${String(i).padStart(2, '0')}`,
  );
  const waiting = [...names];
  await Promise.all(
    Array.from({ length: INSTALLED_AT_ONCE }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await bench.ensure('tool', name);
    }),
  );
  return names;
}

async function restart(bench: Bench, names: readonly string[]): Promise<Figure[]> {
  const runs = await bench.repeat(async () => {
    await bench.target.stop();
    const startedAt = performance.now();
    const healthy = await bench.target.start();
    const answered = await Promise.all(
      names.map(async (name) => {
        await bench.untilAnswer(name);
        return performance.now() - startedAt;
      }),
    );
    return { healthy, first: Math.min(...answered), all: Math.max(...answered) };
  });
  return [
    bench.figure(
      'restart.healthy',
      runs.map((run) => run.healthy),
    ),
    bench.figure(
      'restart.first',
      runs.map((run) => run.first),
    ),
    bench.figure(
      'restart.all',
      runs.map((run) => run.all),
      `all ${names.length} called at once`,
    ),
  ];
}
