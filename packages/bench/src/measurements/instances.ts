/**
 * What a second process of one plugin gives where the interpreter's lock is the limit of the first: calls of the real SDK per second, and
 * how long eight calls take that compute. A daemon with one and a daemon with two, in turn.
 *
 * Caller and daemon have the same processors as the plugin. What all of them take for a call says how much more a second process can give
 * at most, here and now.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { DaemonClient, DaemonProcess, metricOf, until } from '../daemon/index.ts';
import { cpuSeconds, descendants, faultlessLoop, requestBytes } from '../load/index.ts';
import { EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Measurement } from './measurement.ts';

const PLUGIN = 'examples/text_report';
const CONNECTIONS = 16;
const COMPUTING = 8;
/** A report on so many words keeps a processor busy for about a tenth of a second. */
const WORDS = 100_000;
const LIMIT_MS = 120_000;
/** Calls before anything is counted: until then the daemon runs code that the engine has not compiled, which takes what a second process would. */
const WARM_CALLS = 20_000;
const WARM_MS = 20_000;

export const instances: Measurement = {
  name: 'instances',
  title: 'One plugin on the SDK as one process and as two',
  async run(bench) {
    await using one = await started(1);
    await using two = await started(2);
    const sides = [one, two].map((daemon) => ({
      daemon,
      perSecond: [] as number[],
      computing: [] as number[],
      costs: [] as Cost[],
    }));
    const loopOf = (daemon: DaemonProcess) => ({
      url: daemon.url,
      connections: CONNECTIONS,
      expect: 'words',
      request: requestOf(daemon, 'some words. and more of them'),
      maxRequests: Number.POSITIVE_INFINITY,
    });
    for (const { daemon } of sides) await faultlessLoop({ ...loopOf(daemon), maxRequests: WARM_CALLS, maxMs: WARM_MS });
    // By turns, so that what else the machine does falls on both.
    await bench.repeat(async () => {
      for (const { daemon, perSecond, computing, costs } of sides) {
        const before = usedBy(daemon);
        const result = await faultlessLoop({ ...loopOf(daemon), maxMs: bench.seconds * 1000 });
        costs.push(costOf(before, usedBy(daemon), result.latencies.length));
        perSecond.push(result.perSecond);
        const long = { ...loopOf(daemon), connections: COMPUTING, request: requestOf(daemon, 'word '.repeat(WORDS)) };
        const began = performance.now();
        await faultlessLoop({ ...long, maxRequests: COMPUTING, maxMs: LIMIT_MS });
        computing.push(performance.now() - began);
      }
    });
    const ratios = (a: readonly number[] = [], b: readonly number[] = []) =>
      a.map((value, at) => value / (b[at] ?? Number.NaN));
    const [alone, both] = sides;
    return [
      bench.figure('instances.one', alone?.perSecond ?? []),
      bench.figure('instances.two', both?.perSecond ?? []),
      bench.figure(
        'instances.gain',
        ratios(both?.perSecond, alone?.perSecond),
        noteOf(both?.costs ?? [], alone?.perSecond ?? []),
      ),
      bench.figure('instances.computing', both?.computing ?? []),
      bench.figure('instances.computing.gain', ratios(alone?.computing, both?.computing), 'one against two, in turn'),
    ];
  },
};

async function started(count: number): Promise<DaemonProcess> {
  const daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
    settings: {
      // No more than there are, and each with its share of the calls.
      PLUGIN_INSTANCES_MIN: String(count),
      PLUGIN_INSTANCES_MAX: String(count),
      PLUGIN_INSTANCE_CALLS_TARGET: String(CONNECTIONS / 2),
    },
  });
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  await client.install((await client.upload(folderPackage(join(EXAMPLES, 'tool-text-report')))).unique_identifier);
  const isThere = async () => (await metricOf(daemon, 'plugin_starts_total')) >= count;
  await until(`${count} processes run`, isThere, { limitMs: LIMIT_MS });
  return daemon;
}

function requestOf(daemon: DaemonProcess, text: string): Buffer {
  const client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const data = { provider: 'text_report', tool: 'report', tool_parameters: { text }, credentials: {} };
  const parts = client.dispatchRequest('tool/invoke', PLUGIN, data);
  return requestBytes(daemon.url, { ...parts, headers: { 'X-Api-Key': daemon.key, ...parts.headers } });
}

/** Processor seconds. */
interface Use {
  readonly caller: number;
  readonly daemon: number;
  /** Of each process below the daemon, by its id. */
  readonly below: ReadonlyMap<number, number>;
}

function usedBy({ pid }: DaemonProcess): Use {
  const { user, system } = process.cpuUsage();
  return {
    caller: (user + system) / 1e6,
    daemon: cpuSeconds(pid),
    below: new Map(descendants(pid).map((one) => [one, cpuSeconds(one)])),
  };
}

/** Of one call, in milliseconds of processor time. */
interface Cost {
  readonly caller: number;
  readonly daemon: number;
  readonly plugin: number;
  /** Of the two processes of the plugin that had most to do, seconds. */
  readonly most: number;
  readonly least: number;
}

function costOf(before: Use, after: Use, calls: number): Cost {
  const each = [...after.below].map(([pid, seconds]) => seconds - (before.below.get(pid) ?? 0)).sort((a, b) => b - a);
  const [most = 0, least = 0] = each;
  const perCall = (seconds: number) => (seconds / calls) * 1000;
  return {
    caller: perCall(after.caller - before.caller),
    daemon: perCall(after.daemon - before.daemon),
    plugin: perCall(each.reduce((sum, seconds) => sum + seconds, 0)),
    most,
    least,
  };
}

/** What a second process can give: as many calls as all processors have time for, caller and daemon included, against what one process answers. */
function noteOf(costs: readonly Cost[], alone: readonly number[]): string {
  const mean = (of: (cost: Cost) => number) => costs.reduce((sum, cost) => sum + of(cost), 0) / costs.length;
  const [plugin, daemon, caller] = [
    mean((cost) => cost.plugin),
    mean((cost) => cost.daemon),
    mean((cost) => cost.caller),
  ];
  const rate = alone.reduce((sum, perSecond) => sum + perSecond, 0) / alone.length;
  const most = Math.min(2, (availableParallelism() * 1000) / (plugin + daemon + caller) / rate);
  const taken = [plugin, daemon, caller].map((ms) => ms.toFixed(2)).join(' + ');
  const share = Math.round(mean(({ least, most }) => least / most) * 100);
  return `in turn; at most ${most.toFixed(2)} with ${availableParallelism()} processors: a call takes ${taken} ms of plugin, daemon and caller; the idler process had ${share} % of the other's work`;
}
