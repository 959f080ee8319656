/**
 * `npm run bench`: measures a daemon with the protocol-level plugin and prints the figures beside upstream's.
 *
 *   npm run bench -- [NAME…]     only these measurements (--list shows them)
 *   --runs N --seconds S         how often each figure is taken (3), and how long a closed loop lasts (4)
 *   --plugins FOLDER             plugins to restart with, in folders below it, in place of copies of an example; those of `officials`
 *   --json FILE                  write the figures there as well
 *   --upstream FILE              compare with the figures of such a file instead of upstream's recorded ones
 *   rounds               instead: installs, changes and removes plugins over and over, kills the daemon in the middle of it, and counts what
 *                        is left (--rounds N, --kills N, --plain without a plugin on the SDK)
 *   --external                   measure another daemon: BENCH_URL, BENCH_KEY, BENCH_PID_CMD, BENCH_START_CMD, BENCH_STOP_CMD,
 *                                and BENCH_INNER_PORT, BENCH_INNER_KEY for the Dify it calls, which this program plays
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '@plugin-daemon/values';
import pc from 'picocolors';
import { DaemonClient, DaemonProcess } from './daemon/index.ts';
import { externalTarget } from './external-target.ts';
import { startFakeDify } from './fakes/index.ts';
import type { Spread } from './load/index.ts';
import { Bench, type Figure, measurements, type Target } from './measurements/index.ts';
import { heading, readBaseline, rowOf, tableLine, withUpstream } from './report.ts';
import { type Counts, grown, runKills, runRounds } from './rounds/index.ts';

const INNER_KEY = process.env.BENCH_INNER_KEY ?? 'bench-inner-key';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    plugins: { type: 'string' },
    json: { type: 'string' },
    upstream: { type: 'string' },
    external: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '30' },
    plain: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  if (values.list) {
    for (const measurement of measurements) say(`${measurement.name.padEnd(12)} ${measurement.title}`);
    return;
  }
  if (positionals[0] === 'rounds') return await countRounds();
  const unknown = positionals.filter((name) => !measurements.some((measurement) => measurement.name === name));
  if (unknown.length > 0) throw new Error(`there is no measurement ${unknown.join(', ')}; --list shows all`);

  await using dify = await startFakeDify({ key: INNER_KEY, port: Number(process.env.BENCH_INNER_PORT ?? 0) });
  if (values.external) return await measure(externalTarget(process.env));
  await using daemon = await DaemonProcess.start({ innerApi: { url: dify.url, key: INNER_KEY } });
  process.once('SIGINT', () => {
    daemon.close().then(
      () => process.exit(130),
      () => process.exit(1),
    );
  });
  await measure({
    url: daemon.url,
    key: daemon.key,
    pid: () => daemon.pid,
    start: async () => await daemon.start(),
    stop: async () => await daemon.stop(),
    startAs: async (way) => await daemon.start(way),
    forgetEnvironments: () => rmSync(join(daemon.dataDirectory, 'cwd/.environments'), { recursive: true, force: true }),
  });
}

async function countRounds(): Promise<void> {
  const options = { sdk: !values.plain, say: (text: string) => say(pc.dim(text)) };
  let leaks = 0;
  const tell = (title: string, { before, after }: { readonly before: Counts; readonly after: Counts }) => {
    const more = grown(before, after);
    leaks += Object.keys(more).length;
    say(`\n${pc.bold(title)}`);
    for (const [what, count] of Object.entries(after))
      say(
        `  ${what.padEnd(42)} ${String(before[what] ?? 0).padStart(8)} → ${String(count).padStart(8)}${what in more ? pc.red('  more') : ''}`,
      );
  };
  if (Number(values.rounds) > 0) {
    const report = await runRounds({ ...options, rounds: Number(values.rounds) });
    tell(`${values.rounds} rounds`, report);
    say(`  ${'resident memory, MB'.padEnd(42)} ${report.memory.join(' → ')}`);
    say(`  ${report.calls} calls of a plugin beside it, ${report.failed.length} failed`);
    for (const text of report.failed.slice(0, 5)) say(pc.red(`  ${text}`));
    leaks += report.failed.length;
  }
  if (Number(values.kills) > 0) {
    const report = await runKills({ ...options, rounds: Number(values.kills) });
    tell(`${values.kills} kills`, report);
    for (const text of report.survivors) say(pc.red(`  ${text}`));
    leaks += report.survivors.length;
  }
  if (leaks > 0) process.exitCode = 1;
}

async function measure(target: Target): Promise<void> {
  await using client = new DaemonClient({ url: target.url, key: target.key });
  const bench = new Bench(target, client, {
    runs: Number(values.runs),
    seconds: Number(values.seconds),
    plugins: values.plugins,
    say,
  });
  const baseline = values.upstream ? withUpstream(readBaseline(), readFigures(values.upstream)) : readBaseline();
  const taken: Record<string, Spread> = {};
  say(heading());
  for (const measurement of measurements) {
    if (positionals.length > 0 && !positionals.includes(measurement.name)) continue;
    say(pc.bold(measurement.title));
    const missing = measurement.missing?.(bench);
    // Who asks for it by name is told by the exit code too.
    if (missing !== undefined) {
      say(pc.yellow(`  not taken: ${missing}`));
      if (positionals.length > 0) process.exitCode = 1;
      continue;
    }
    for (const figure of await attempt(measurement.title, () => measurement.run(bench))) {
      taken[figure.id] = figure.value;
      const row = baseline[figure.id];
      if (!row) throw new Error(`baseline-upstream.json does not know ${figure.id}`);
      say(tableLine(rowOf(figure, row)) + (figure.note ? pc.dim(`  ${figure.note}`) : ''));
    }
    if (values.json) writeFileSync(values.json, `${JSON.stringify(taken, null, 1)}\n`);
  }
}

/** A measurement that fails is reported and does not take the others with it. */
async function attempt(title: string, run: () => Promise<Figure[]>): Promise<Figure[]> {
  try {
    return await run();
  } catch (error) {
    say(pc.red(`  ${title} failed: ${messageOf(error)}`));
    process.exitCode = 1;
    return [];
  }
}

function readFigures(file: string): Record<string, Spread> {
  return JSON.parse(readFileSync(file, 'utf8'));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
