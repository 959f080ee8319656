/**
 * What a second process of one plugin gives where the interpreter's lock is the limit of the first: calls of the real SDK per second, and
 * how long eight calls take that compute. One and two processes in turn, on one data directory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaemonClient, DaemonProcess, metricOf, until } from '../daemon/index.ts';
import { faultlessLoop, requestBytes } from '../load/index.ts';
import { EXAMPLES, folderPackage } from '../plugin/package.ts';
import type { Measurement } from './measurement.ts';

const PLUGIN = 'examples/text_report';
const CONNECTIONS = 16;
const COMPUTING = 8;
/** A report on so many words keeps a processor busy for about a tenth of a second. */
const WORDS = 100_000;
const COUNTS = [1, 2];
const LIMIT_MS = 120_000;

export const instances: Measurement = {
  name: 'instances',
  title: 'One plugin on the SDK as one process and as two',
  async run(bench) {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'bench-instances-'));
    const start = (count: number) =>
      DaemonProcess.start({
        innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
        // No more than there are, and each with its share of the calls.
        settings: {
          PLUGIN_INSTANCES_MIN: String(count),
          PLUGIN_INSTANCES_MAX: String(count),
          PLUGIN_INSTANCE_CALLS_TARGET: String(CONNECTIONS / 2),
        },
        dataDirectory,
      });
    const perSecond: number[][] = COUNTS.map(() => []);
    const computing: number[][] = COUNTS.map(() => []);
    try {
      await install(await start(1));
      for (let run = 0; run < bench.runs; run++) {
        for (const [at, count] of COUNTS.entries()) {
          await using daemon = await start(count);
          await until(`${count} processes run`, async () => (await metricOf(daemon, 'plugin_starts_total')) >= count, {
            limitMs: LIMIT_MS,
          });
          const loop = { url: daemon.url, connections: CONNECTIONS, expect: 'words' };
          const short = {
            ...loop,
            request: requestOf(daemon, 'some words. and more of them'),
            maxRequests: Number.POSITIVE_INFINITY,
          };
          await faultlessLoop({ ...short, maxMs: 1000 });
          perSecond[at]?.push((await faultlessLoop({ ...short, maxMs: bench.seconds * 1000 })).perSecond);
          const long = { ...loop, connections: COMPUTING, request: requestOf(daemon, 'word '.repeat(WORDS)) };
          const began = performance.now();
          await faultlessLoop({ ...long, maxRequests: COMPUTING, maxMs: LIMIT_MS });
          computing[at]?.push(performance.now() - began);
        }
      }
    } finally {
      rmSync(dataDirectory, { recursive: true, force: true });
    }
    const ratios = (a: readonly number[] = [], b: readonly number[] = []) =>
      a.map((value, at) => value / (b[at] ?? Number.NaN));
    const [one, two] = perSecond;
    const [alone, shared] = computing;
    return [
      bench.figure('instances.one', one ?? []),
      bench.figure('instances.two', two ?? []),
      bench.figure('instances.gain', ratios(two, one), 'two processes against one, in turn'),
      bench.figure('instances.computing', shared ?? []),
      bench.figure('instances.computing.gain', ratios(alone, shared), 'one process against two, in turn'),
    ];
  },
};

async function install(daemon: DaemonProcess): Promise<void> {
  await using _ = daemon;
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  await client.install((await client.upload(folderPackage(join(EXAMPLES, 'tool-text-report')))).unique_identifier);
}

function requestOf(daemon: DaemonProcess, text: string): Buffer {
  const client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const data = { provider: 'text_report', tool: 'report', tool_parameters: { text }, credentials: {} };
  const parts = client.dispatchRequest('tool/invoke', PLUGIN, data);
  return requestBytes(daemon.url, { ...parts, headers: { 'X-Api-Key': daemon.key, ...parts.headers } });
}
