/**
 * Workers behind one port: what one and two of them answer, and for how much processor time; and, to tell what comes of the machine from what comes
 * of the workers, two daemons that know nothing of each other.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { DaemonClient, DaemonProcess, metricOf, until } from '../daemon/index.ts';
import { cpuSeconds, faultlessLoop, privateMb, requestBytes, residentMb } from '../load/index.ts';
import { AUTHOR, benchPackage } from '../plugin/package.ts';
import type { Measurement } from './measurement.ts';

/** Each runs in one of the workers: several, so that there is something to share out. */
const PLUGINS = ['one', 'two', 'three', 'four', 'five', 'six'].map((name) => `shared-${name}`);
const CALLERS = 24;
const MAX_REQUESTS = 500_000;
/**
 * Calls of each process before anything is counted: until then it runs code that the engine has not compiled, which costs twice as much. A
 * worker has the code of two ways to compile, its own calls and those that are handed over, and compiled some of it again until 60,000.
 */
const WARM_CALLS = 60_000;
const WARM_MS = 180_000;

export const workers: Measurement = {
  name: 'workers',
  title: 'Workers of one daemon, on SQLite',
  async run(bench) {
    await using one = await started('1');
    await using two = await started('2');
    await using left = await started('1');
    await using right = await started('1');
    const sides = [
      { name: 'w1', daemons: [one], processes: 1 },
      { name: 'w2', daemons: [two], processes: 2 },
      { name: 'apart', daemons: [left, right], processes: 2 },
    ].map((side) => ({ ...side, perSecond: [] as number[], perCpu: [] as number[], forwarded: [] as number[] }));
    for (const { daemons, processes } of sides)
      await loadAll(daemons, { maxMs: WARM_MS, maxRequests: WARM_CALLS * processes });
    // By turns, so that what else the machine does falls on all.
    await bench.repeat(async () => {
      for (const { daemons, perSecond, perCpu, forwarded } of sides) {
        const before = [cpuOfAll(daemons), await handedOver(daemons)] as const;
        const { calls, rate } = await loadAll(daemons, { maxMs: bench.seconds * 1000, maxRequests: MAX_REQUESTS });
        perSecond.push(rate);
        perCpu.push(calls / (cpuOfAll(daemons) - before[0]));
        forwarded.push(((await handedOver(daemons)) - before[1]) / calls);
      }
    });
    return [
      ...sides.flatMap(({ name, perSecond, perCpu, forwarded }) => [
        bench.figure(`workers.${name}.perSecond`, perSecond, name === 'w2' ? noteOf(forwarded) : undefined),
        bench.figure(`workers.${name}.perCpuSecond`, perCpu),
      ]),
      bench.figure('workers.primary.mb', [residentMb(two.pid)], `${Math.round(privateMb(two.pid))} MB of its own`),
    ];
  },
};

const noteOf = (shares: readonly number[]): string =>
  `${Math.round((shares.reduce((sum, part) => sum + part, 0) / shares.length) * 100)} % handed to the other worker`;

const cpuOfAll = (daemons: readonly DaemonProcess[]): number => daemons.reduce((sum, each) => sum + cpuOf(each), 0);

async function handedOver(daemons: readonly DaemonProcess[]): Promise<number> {
  const counts = daemons.map((daemon) => metricOf(daemon, 'forwarded_calls_total', { outcome: 'answered' }));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

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

interface Limits {
  readonly maxMs: number;
  readonly maxRequests: number;
}

/** The callers are shared out among the daemons. */
async function loadAll(daemons: readonly DaemonProcess[], { maxMs, maxRequests }: Limits) {
  const results = await Promise.all(
    daemons.map((daemon) =>
      load(daemon, CALLERS / daemons.length, { maxMs, maxRequests: maxRequests / daemons.length }),
    ),
  );
  return {
    calls: results.reduce((sum, { calls }) => sum + calls, 0),
    rate: results.reduce((sum, { rate }) => sum + rate, 0),
  };
}

async function load(daemon: DaemonProcess, callers: number, { maxMs, maxRequests }: Limits) {
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const results = await Promise.all(
    PLUGINS.map((name) => {
      const data = { provider: name, tool: 'echo', tool_parameters: { text: 'hello' }, credentials: {} };
      const parts = client.dispatchRequest('tool/invoke', `${AUTHOR}/${name}`, data);
      const request = requestBytes(daemon.url, { ...parts, headers: { 'X-Api-Key': daemon.key, ...parts.headers } });
      return faultlessLoop({
        url: daemon.url,
        request,
        connections: callers / PLUGINS.length,
        maxMs,
        maxRequests: Math.ceil(maxRequests / PLUGINS.length),
        expect: 'hello',
      });
    }),
  );
  return {
    calls: results.reduce((sum, { latencies }) => sum + latencies.length, 0),
    rate: results.reduce((sum, one) => sum + one.perSecond, 0),
  };
}
