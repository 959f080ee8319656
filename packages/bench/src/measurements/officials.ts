/**
 * Plugins that others wrote, unchanged: each is installed with what it is locked to, and then all are started twice, forked from parents
 * and plainly. Shows who fell back and why, and what the memory of all is. Daemons of its own, since it turns a setting; the dependencies
 * come from the package index.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@plugin-daemon/values';
import { DaemonClient, DaemonProcess, until } from '../daemon/index.ts';
import { cpuSeconds, descendants, proportionalMb, sideBySide } from '../load/index.ts';
import { pluginFolders } from '../plugin/folders.ts';
import { folderPackage } from '../plugin/package.ts';
import type { Bench, Measurement } from './measurement.ts';

/** So many of the folder, spread over it. */
const PLUGINS = 64;
const INSTALLED_AT_ONCE = 2;
const INSTALL_LIMIT_MS = 240_000;
const START_LIMIT_MS = 900_000;
/** All have been started when nothing has begun or ended for so long. */
const QUIET_MS = 20_000;
const SETTLE_MS = 5000;
const LOG_LINES = 100_000;
const LONGEST_REASON = 110;
const SETTINGS = { PLUGIN_INSTANCES_MIN: '1', PLUGIN_INSTANCES_MAX: '1', LOG_OUTPUT_FORMAT: 'json' };
const WAYS = ['forked', 'plain'] as const;

interface Started {
  readonly how: string;
  readonly memoryMb: number;
  /** Of the process, from its beginning until all were started: what it does afterwards is next to nothing. */
  readonly cpuMs: number;
}

interface Round {
  readonly plugins: ReadonlyMap<string, Started>;
  /** Everything below the daemon, parents and helpers included. */
  readonly totalMb: number;
}

export const officials: Measurement = {
  name: 'officials',
  title: `${PLUGINS} plugins of --plugins DIR, forked and plain`,
  missing: ({ plugins }) => {
    if (plugins === undefined)
      return 'name a directory of plugins, such as a checkout of dify-official-plugins: --plugins DIR';
    if (!existsSync(plugins)) return `${plugins} does not exist`;
    return pluginFolders(plugins).length === 0 ? `no folder in ${plugins} has a manifest.yaml` : undefined;
  },
  async run(bench) {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'bench-officials-'));
    try {
      const installed = await installAll(bench, dataDirectory);
      const rounds = new Map<string, Round>();
      for (const way of WAYS) rounds.set(way, await startAll(dataDirectory, way === 'forked', installed.size));
      const [forked, plain] = WAYS.map((way) => rounds.get(way));
      if (forked === undefined || plain === undefined) throw new Error('a round is missing');
      const both = [...installed].filter(([id]) => forked.plugins.has(id) && plain.plugins.has(id));
      show(bench, both, forked, plain);
      const each = ({ totalMb, plugins }: Round) => totalMb / plugins.size;
      const cpu = ({ plugins }: Round) => both.map(([id]) => plugins.get(id)?.cpuMs ?? 0);
      const isForked = both.filter(([id]) => forked.plugins.get(id)?.how.startsWith('forked')).length;
      return [
        bench.figure('officials.memory.forked', [each(forked)], `PSS of all: ${Math.round(forked.totalMb)} MB`),
        bench.figure('officials.memory.plain', [each(plain)], `PSS of all: ${Math.round(plain.totalMb)} MB`),
        bench.figure('officials.memory.saved', [100 * (1 - each(forked) / each(plain))]),
        bench.figure('officials.cpu.forked', cpu(forked)),
        bench.figure('officials.cpu.plain', cpu(plain)),
        bench.figure('officials.forked', [(100 * isForked) / both.length], `${isForked} of ${both.length}`),
      ];
    } finally {
      rmSync(dataDirectory, { recursive: true, force: true });
    }
  },
};

/** @returns the names of those that run, by identifier */
async function installAll(bench: Bench, dataDirectory: string): Promise<ReadonlyMap<string, string>> {
  const all = pluginFolders(bench.plugins ?? '');
  const step = Math.max(1, all.length / PLUGINS);
  const chosen = Array.from({ length: Math.min(PLUGINS, all.length) }, (_, n) => all[Math.floor(n * step)] ?? '');
  const installed = new Map<string, string>();
  await using daemon = await startDaemon(dataDirectory, true);
  await using client = new DaemonClient({ url: daemon.url, key: daemon.key });
  const installOne = async (folder: string) => {
    const name = relative(bench.plugins ?? '', folder);
    try {
      const { unique_identifier } = await client.upload(folderPackage(folder, {}, true));
      await Promise.race([
        client.install(unique_identifier),
        pause(INSTALL_LIMIT_MS, undefined, { ref: false }).then(() => {
          throw new Error(`not installed within ${INSTALL_LIMIT_MS / 1000} s`);
        }),
      ]);
      installed.set(unique_identifier, name);
    } catch (error) {
      bench.say(`  ${name} is left out: ${messageOf(error).split('\n')[0]?.slice(0, LONGEST_REASON)}`);
    }
  };
  await sideBySide(chosen, INSTALLED_AT_ONCE, installOne);
  bench.say(`  ${installed.size} of ${chosen.length} plugins installed`);
  // The environments of parents are made beside.
  await quiet(daemon, /a parent is ready|environment of a parent|plugin is ready/);
  return installed;
}

const startDaemon = (dataDirectory: string, forks: boolean) =>
  DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'unused' },
    settings: { ...SETTINGS, PLUGIN_PREFORK: String(forks) },
    dataDirectory,
  });

async function startAll(dataDirectory: string, forks: boolean, count: number): Promise<Round> {
  await using daemon = await startDaemon(dataDirectory, forks);
  const before = daemon.logTail(LOG_LINES).length;
  await until('all are started or have failed', async () => Object.keys(await starts(daemon)).length >= count, {
    limitMs: START_LIMIT_MS,
    everyMs: 500,
  }).catch(() => undefined);
  await quiet(daemon, /plugin is ready|plugin is started/);
  await pause(SETTLE_MS);
  const ways = await starts(daemon);
  const pids = readyPids(daemon.logTail(LOG_LINES).slice(before));
  const plugins = new Map<string, Started>();
  for (const [identifier, how] of Object.entries(ways)) {
    const pid = pids.get(identifier);
    if (pid !== undefined)
      plugins.set(identifier, { how, memoryMb: proportionalMb(pid), cpuMs: cpuSeconds(pid) * 1000 });
  }
  return { plugins, totalMb: descendants(daemon.pid).reduce((sum, pid) => sum + proportionalMb(pid), 0) };
}

async function starts(daemon: DaemonProcess): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(`${daemon.url}/readyz`, { headers: { 'X-Api-Key': daemon.key } });
  const { starts = {} } = (await answer.json()) as { starts?: Record<string, string> }; // its description says so
  return starts;
}

/** The last process of each plugin, from the log. */
function readyPids(log: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of log.split('\n')) {
    if (!line.includes('"message":"plugin is ready"')) continue;
    const { attributes }: { attributes: { plugin: string; pid: number } } = JSON.parse(line);
    found.set(attributes.plugin, attributes.pid);
  }
  return found;
}

/** Resolves when no line of this kind has been added to the log for a while. */
async function quiet(daemon: DaemonProcess, kind: RegExp): Promise<void> {
  const count = () => daemon.logTail(LOG_LINES).match(new RegExp(kind, 'g'))?.length ?? 0;
  for (let before = -1, now = count(); now !== before; now = count()) {
    before = now;
    await pause(QUIET_MS);
  }
}

function show(bench: Bench, both: readonly (readonly [string, string])[], forked: Round, plain: Round): void {
  bench.say('  | plugin | start | MB forked | MB plain | CPU ms forked | CPU ms plain |');
  bench.say('  |---|---|---|---|---|---|');
  const cell = (value: number | undefined) => String(Math.round(value ?? Number.NaN));
  for (const [id, name] of both.toSorted(([, a], [, b]) => (a < b ? -1 : 1))) {
    const [one, other] = [forked.plugins.get(id), plain.plugins.get(id)];
    const columns = [
      name,
      one?.how.slice(0, LONGEST_REASON) ?? '',
      ...[one?.memoryMb, other?.memoryMb, one?.cpuMs, other?.cpuMs].map(cell),
    ];
    bench.say(`  | ${columns.join(' | ')} |`);
  }
}
