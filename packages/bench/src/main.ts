/** `npm run bench`: measures a daemon with the protocol-level plugin and prints the figures beside upstream's. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import pc from 'picocolors';
import { DaemonClient, DaemonProcess } from './daemon/index.ts';
import { externalTarget } from './external-target.ts';
import { startFakeDify } from './fakes/index.ts';
import type { Spread } from './load/index.ts';
import { Bench, type Figure, measurements, type Target } from './measurements/index.ts';
import { heading, readBaseline, rowOf, tableLine, withUpstream } from './report.ts';
import { type Counts, grown, MADE_LATER, runKills, runRounds } from './rounds/index.ts';

const INNER_KEY = process.env.BENCH_INNER_KEY ?? 'bench-inner-key';

const { values, words, number, refuse } = argumentsOf({
  name: 'npm run bench',
  words: '[NAME…|rounds]',
  about:
    "Measures a daemon and prints the figures beside upstream's: all measurements, or those of these names. `rounds` instead installs, changes and removes plugins over and over, kills the daemon in each thing it does, and counts what is left.",
  options: {
    list: { type: 'boolean', default: false, help: 'shows the names, and measures nothing' },
    runs: { type: 'string', takes: 'N', default: '3', help: 'how often each figure is taken' },
    seconds: { type: 'string', takes: 'S', default: '4', help: 'how long a closed loop lasts' },
    plugins: {
      type: 'string',
      takes: 'FOLDER',
      help: 'plugins to restart with, in folders below it, in place of copies of an example; those of `officials`',
    },
    json: { type: 'string', takes: 'FILE', help: 'writes the figures there as well' },
    upstream: {
      type: 'string',
      takes: 'FILE',
      help: "compares with those figures instead of upstream's recorded ones",
    },
    external: {
      type: 'boolean',
      default: false,
      help: 'measures another daemon: BENCH_URL, BENCH_KEY, BENCH_PID_CMD, BENCH_START_CMD, BENCH_STOP_CMD, and BENCH_INNER_PORT, BENCH_INNER_KEY for the Dify it calls, which this program plays',
    },
    rounds: { type: 'string', takes: 'N', default: '1000', help: 'of `rounds`: how often' },
    kills: { type: 'string', takes: 'N', default: '30', help: 'of `rounds`: how often the daemon is killed' },
    plain: { type: 'boolean', default: false, help: 'of `rounds`: without a plugin on the SDK' },
  },
});

// Before anything is started: a refusal ends the program.
const runs = number('runs', { least: 1, most: 1000 });
const seconds = number('seconds', { least: 0.1, most: 3600, whole: false });

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  if (values.list) {
    for (const measurement of measurements) say(`${measurement.name.padEnd(12)} ${measurement.title}`);
    return;
  }
  if (words[0] === 'rounds') return await countRounds();
  const unknown = words.filter((name) => !measurements.some((measurement) => measurement.name === name));
  if (unknown.length > 0) refuse(`there is no measurement ${unknown.join(', ')} (--list shows all)`);

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

/** Of rounds and kills; 0 leaves them out. */
const COUNT = { least: 0, most: 1_000_000 };

async function countRounds(): Promise<void> {
  const options = { sdk: !values.plain, say: (text: string) => say(pc.dim(text)) };
  let leaks = 0;
  const tell = (title: string, { before, after }: { readonly before: Counts; readonly after: Counts }) => {
    const more = grown(before, after);
    leaks += Object.keys(more).filter((what) => !MADE_LATER.has(what)).length;
    say(`\n${pc.bold(title)}`);
    for (const [what, count] of Object.entries(after))
      say(
        `  ${what.padEnd(42)} ${String(before[what] ?? 0).padStart(8)} → ${String(count).padStart(8)}${what in more ? pc.red('  more') : ''}`,
      );
  };
  const rounds = number('rounds', COUNT);
  const kills = number('kills', COUNT);
  if (rounds > 0) {
    const report = await runRounds({ ...options, rounds });
    tell(`${rounds} rounds`, report);
    say(`  ${'resident memory, MB'.padEnd(42)} ${report.memory.join(' → ')}`);
    say(`  ${report.calls} calls of a plugin beside it, ${report.failed.length} failed`);
    for (const text of report.failed.slice(0, 5)) say(pc.red(`  ${text}`));
    leaks += report.failed.length;
  }
  if (kills > 0) {
    const report = await runKills({ ...options, rounds: kills });
    tell(`${kills} kills`, report);
    for (const { phase, kills: times, hit } of report.phases)
      say(
        `  ${`killed while ${phase}`.padEnd(51)} ${String(times).padStart(8)}${hit < times ? pc.yellow(`  ${times - hit} too late`) : ''}`,
      );
    say(`  ${'processes that outlived it'.padEnd(51)} ${String(report.survivors.length).padStart(8)}`);
    for (const text of report.survivors) say(pc.red(`  ${text}`));
    leaks += report.survivors.length;
  }
  if (leaks > 0) process.exitCode = 1;
}

async function measure(target: Target): Promise<void> {
  await using client = new DaemonClient({ url: target.url, key: target.key });
  const bench = new Bench(target, client, {
    runs,
    seconds,
    plugins: values.plugins,
    say,
  });
  const baseline = values.upstream ? withUpstream(readBaseline(), readFigures(values.upstream)) : readBaseline();
  const taken: Record<string, Spread> = {};
  say(heading());
  for (const measurement of measurements) {
    if (words.length > 0 && !words.includes(measurement.name)) continue;
    say(pc.bold(measurement.title));
    const missing = measurement.missing?.(bench);
    // Who asks for it by name is told by the exit code too.
    if (missing !== undefined) {
      say(pc.yellow(`  not taken: ${missing}`));
      if (words.length > 0) process.exitCode = 1;
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
