/** Workers behind one port: what one and two of them answer, and for how much processor time. */
import { readdirSync, readFileSync } from 'node:fs';
import { DaemonClient, DaemonProcess, metricOf, until } from '../daemon/index.ts';
import { cpuSeconds, faultlessLoop, requestBytes, residentMb } from '../load/index.ts';
import { AUTHOR, benchPackage } from '../plugin/package.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

/** Each runs in one of the workers: several, so that there is something to share out. */
const PLUGINS = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `shared-${name}`);
const CALLERS = 24;
const MAX_REQUESTS = 500_000;

export const workers: Measurement = {
  name: 'workers',
  title: 'Workers of one daemon, on SQLite',
  async run(bench) {
    await using one = await started('1');
    await using two = await started('2');
    const daemons = [one, two] as const;
    const perSecond: number[][] = [[], []];
    const perCpu: number[][] = [[], []];
    const forwarded: number[] = [];
    for (const daemon of daemons) await load(daemon, 1000);
    // By turns, so that what else the machine does falls on both.
    await bench.repeat(async () => {
      for (const [index, daemon] of daemons.entries()) {
        const before = [cpuOf(daemon), await handedOver(daemon)] as const;
        const { calls, rate } = await load(daemon, bench.seconds * 1000);
        perSecond[index]?.push(rate);
        perCpu[index]?.push(calls / (cpuOf(daemon) - before[0]));
        if (daemon === two) forwarded.push(((await handedOver(daemon)) - before[1]) / calls);
      }
    });
    const share = forwarded.reduce((sum, part) => sum + part, 0) / forwarded.length;
    return [
      ...figures(bench, 1, perSecond[0] ?? [], perCpu[0] ?? []),
      ...figures(
        bench,
        2,
        perSecond[1] ?? [],
        perCpu[1] ?? [],
        `${Math.round(share * 100)} % handed to the other worker`,
      ),
      bench.figure('workers.primary.mb', [residentMb(two.pid)]),
    ];
  },
};

const handedOver = (daemon: DaemonProcess): Promise<number> =>
  metricOf(daemon, 'forwarded_calls_total', { outcome: 'answered' });

const figures = (bench: Bench, count: number, perSecond: number[], perCpu: number[], note?: string): Figure[] => [
  bench.figure(`workers.w${count}.perSecond`, perSecond, note),
  bench.figure(`workers.w${count}.perCpuSecond`, perCpu),
];

async function started(count: string): Promise<DaemonProcess> {
  const innerApi = { url: 'http://127.0.0.1:9', key: 'bench-inner-key' };
  // Requests in the log would be a part of what is measured, and a larger one with a relay between.
  const daemon = await DaemonProcess.start({ innerApi, settings: { WORKERS: count, LOG_LEVEL: 'WARN' } });
  await until('all workers serve', async () => (await metricOf(daemon, 'workers')) === Number(count));
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  for (const name of PLUGINS) {
    const { unique_identifier } = await client.upload(benchPackage({ category: 'tool', name }));
    await client.install(unique_identifier);
  }
  await until('all plugins run', async () => (await metricOf(daemon, 'active_plugins_total')) === PLUGINS.length);
  return daemon;
}

/** Of the daemon's processes, without its plugins: a primary process starts nothing but workers. */
function cpuOf({ pid }: DaemonProcess): number {
  const workersOfIt = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isWorkerOf(Number(name), pid));
  return [pid, ...workersOfIt.map(Number)].reduce((sum, each) => sum + cpuSeconds(each), 0);
}

function isWorkerOf(pid: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [, parentOfIt] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(parentOfIt) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.js');
  } catch {
    // Ended meanwhile.
    return false;
  }
}

async function load(daemon: DaemonProcess, maxMs: number) {
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const results = await Promise.all(
    PLUGINS.map((name) => {
      const data = { provider: name, tool: 'echo', tool_parameters: { text: 'hello' }, credentials: {} };
      const parts = client.dispatchRequest('tool/invoke', `${AUTHOR}/${name}`, data);
      const request = requestBytes(daemon.url, { ...parts, headers: { 'X-Api-Key': daemon.key, ...parts.headers } });
      const connections = CALLERS / PLUGINS.length;
      return faultlessLoop({
        url: daemon.url,
        request,
        connections,
        maxMs,
        maxRequests: MAX_REQUESTS,
        expect: 'hello',
      });
    }),
  );
  return {
    calls: results.reduce((sum, { latencies }) => sum + latencies.length, 0),
    rate: results.reduce((sum, one) => sum + one.perSecond, 0),
  };
}
