/** Several nodes: what handing a call over costs, and what one, two and three of them answer for the processor time they use. */
import { DaemonClient, type DaemonProcess } from '../daemon/index.ts';
import { Deployment } from '../fleet/index.ts';
import { cpuSeconds, faultlessLoop, quantile, requestBytes } from '../load/index.ts';
import { AUTHOR, benchPackage } from '../plugin/package.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const PLUGIN = 'speed-tool';
const CALLERS = 24;
const MAX_REQUESTS = 500_000;
/** Calls of each way before the two are compared: until then the engine compiles, which a call that is handed over needs twice as much of. */
const WARM_CALLS = 40_000;
const WARM_MS = 120_000;

export const nodes: Measurement = {
  name: 'nodes',
  title: 'Several nodes',
  async run(bench) {
    await using deployment = await Deployment.start({ settings: { SHUTDOWN_BALANCER_SECONDS: '0' } });
    const pair = [await deployment.add({ NODE_ROLE: 'front' }), await deployment.add({ NODE_ROLE: 'runner' })] as const;
    await install(pair[1]);
    const figures = await handingOver(bench, ...pair);
    await deployment.stop(pair[0]);
    const runners = [pair[1]];
    for (const count of [1, 2, 3]) {
      while (runners.length < count) runners.push(await deployment.add({}));
      await deployment.ready(runners);
      figures.push(...(await throughput(bench, runners)));
    }
    return figures;
  },
};

/** By turns, so that what else the machine does falls on both. */
async function handingOver(bench: Bench, front: DaemonProcess, runner: DaemonProcess): Promise<Figure[]> {
  const direct: number[] = [];
  const handed: number[] = [];
  const cpu: number[] = [];
  await loop(front, CALLERS, WARM_MS, WARM_CALLS);
  await loop(runner, CALLERS, WARM_MS, WARM_CALLS);
  await bench.repeat(async () => {
    direct.push(quantile((await loop(runner, 1, bench.seconds * 1000)).latencies, 0.5));
    const before = cpuSeconds(front.pid);
    const { latencies } = await loop(front, 1, bench.seconds * 1000);
    handed.push(quantile(latencies, 0.5));
    cpu.push((cpuSeconds(front.pid) - before) / latencies.length);
  });
  const added = handed.map((ms, run) => ms - (direct[run] ?? 0));
  return [
    bench.figure('nodes.direct.p50', direct),
    bench.figure('nodes.handed.p50', handed),
    bench.figure('nodes.added.p50', added, `of pairs of runs; of the handing node, ${cpuNote(cpu)}`),
  ];
}

async function throughput(bench: Bench, all: readonly DaemonProcess[]): Promise<Figure[]> {
  const perSecond: number[] = [];
  const perCpu: number[] = [];
  await bench.repeat(async () => {
    const before = all.map(({ pid }) => cpuSeconds(pid));
    const results = await Promise.all(all.map((node) => loop(node, CALLERS / all.length, bench.seconds * 1000)));
    const cpu = all.reduce((sum, { pid }, index) => sum + cpuSeconds(pid) - (before[index] ?? 0), 0);
    const calls = results.reduce((sum, { latencies }) => sum + latencies.length, 0);
    perSecond.push(results.reduce((sum, one) => sum + one.perSecond, 0));
    perCpu.push(calls / cpu);
  });
  const name = `nodes.n${all.length}`;
  return [bench.figure(`${name}.perSecond`, perSecond), bench.figure(`${name}.perCpuSecond`, perCpu)];
}

async function install(node: DaemonProcess): Promise<void> {
  await using client = new DaemonClient({ url: node.url, key: node.key });
  const { unique_identifier } = await client.upload(benchPackage({ category: 'tool', name: PLUGIN }));
  await client.install(unique_identifier);
}

async function loop(node: DaemonProcess, connections: number, maxMs: number, maxRequests = MAX_REQUESTS) {
  await using client = new DaemonClient({ url: node.url, key: node.key });
  const data = { provider: PLUGIN, tool: 'echo', tool_parameters: { text: 'hello' }, credentials: {} };
  const parts = client.dispatchRequest('tool/invoke', `${AUTHOR}/${PLUGIN}`, data);
  const request = requestBytes(node.url, { ...parts, headers: { 'X-Api-Key': node.key, ...parts.headers } });
  return await faultlessLoop({
    url: node.url,
    request,
    connections,
    maxMs,
    maxRequests,
    expect: 'hello',
  });
}
