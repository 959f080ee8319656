/**
 * `npm run conformance`: records our daemon's answers with the recorder of ../shared/bench and compares them with
 * upstream's recordings in ../shared/golden. Differences that are meant stand in docs/deliberate-differences.json.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import pc from 'picocolors';
import { backendSettings, sharedCache } from './conformance/backend.ts';
import {
  compareDebugging,
  type DebuggingTarget,
  recordDebugging,
  sdkPython,
  writeSdkPlugin,
} from './conformance/debugging.ts';
import { type Comparison, type Difference, missingCases, readComparison, report } from './conformance/differences.ts';
import { compareOfficial, forgetCasesOfAbsentAgent, packOfficial, packReal } from './conformance/official-packages.ts';
import { compareServerless, needsMore, readDeliberate, SERVERLESS } from './conformance/serverless.ts';
import { findSharedBench, runScript, type SharedBench, SharedFake } from './conformance/shared-bench.ts';
import { recordSigned } from './conformance/signed.ts';
import { DaemonProcess } from './daemon/index.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
const ALLOWED = join(REPOSITORY, 'docs/deliberate-differences.json');
const INNER_KEY = 'conformance-inner-key';
const RECORD_LIMIT_MS = 900_000;

const { values, number } = argumentsOf({
  name: 'npm run conformance',
  about:
    "Records this daemon's answers and compares them with upstream's. Differences that are meant stand in docs/deliberate-differences.json.",
  options: {
    only: {
      type: 'string',
      takes: 'REGEX',
      help: 'compares only routes that match (everything is recorded, since cases build on each other)',
    },
    show: {
      type: 'string',
      takes: 'N',
      default: '40',
      help: 'prints at most N differences; all of them are in the summary',
    },
    summary: {
      type: 'string',
      takes: 'FILE',
      help: 'where the summary goes; without it conformance.md in the working directory of the run',
    },
    keep: {
      type: 'boolean',
      default: false,
      help: 'keeps the working directory (recordings, logs, data) and prints where it is',
    },
    expected: { type: 'string', takes: 'DIR', help: 'compares with another recording' },
    shared: {
      type: 'string',
      takes: 'DIR',
      default: join(REPOSITORY, '../shared'),
      help: 'where the folder with recorder and recordings is',
    },
    plugins: {
      type: 'string',
      takes: 'CHECKOUT',
      help: "a checkout of Dify's official plugins: packs them, for the cases named `real …` and for the comparison of identifiers and declarations (needs uv)",
    },
    real: { type: 'string', takes: 'DIR', help: 'or a folder of packages for the cases named `real …`' },
    packages: { type: 'string', takes: 'DIR', help: 'and a folder of packed official plugins' },
    'no-debugging': {
      type: 'boolean',
      default: false,
      help: 'leaves out the debugging connection, which needs an environment with the SDK',
    },
    database: {
      type: 'string',
      takes: 'SERVER',
      help: 'keeps the state on a server that `npm run services` started: postgresql, pgbouncer, mariadb or mysql; without it DB_*, REDIS_*, S3_*, AWS_* and PLUGIN_STORAGE_* of the environment are handed on to the daemon',
    },
    'no-serverless': { type: 'boolean', default: false, help: 'leaves out the serverless platform' },
    'only-serverless': { type: 'boolean', default: false, help: 'records nothing else' },
    quick: {
      type: 'boolean',
      default: false,
      help: 'there, without the cases that wait for time limits (they are then missing)',
    },
    verbose: { type: 'boolean', default: false, help: 'prints each case as it is recorded' },
    url: {
      type: 'string',
      takes: 'URL',
      help: 'records a daemon that runs already (its neighbours are then its own business)',
    },
    key: { type: 'string', takes: 'KEY', help: 'of that daemon; without it SERVER_KEY of the environment' },
  },
});
const shown = number('show', { least: 0, most: 1_000_000 });

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<boolean> {
  const bench = findSharedBench(resolve(values.shared));
  if (!bench) {
    say(`There are no recordings of upstream at ${resolve(values.shared)}: nothing was compared.`);
    return true;
  }
  const work = mkdtempSync(join(tmpdir(), 'plugin-daemon-conformance-'));
  const removeWork = () => rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  try {
    const local = values['only-serverless'] || (await compare(bench, work));
    if (values['no-serverless'] || values.url !== undefined || values.only !== undefined) return local;
    return (await serverless(bench, work)) && local;
  } finally {
    if (values.keep) say(pc.dim(`kept: ${work}`));
    else removeWork();
  }
}

async function compare(bench: SharedBench, work: string): Promise<boolean> {
  const recorded = join(work, 'recorded');
  mkdirSync(recorded);
  const started = performance.now();
  const results = await record(bench, work, recorded);
  say(pc.dim(`recorded in ${Math.round((performance.now() - started) / 1000)} s`));

  const expected = values.expected ? resolve(values.expected) : bench.golden;
  const comparison = await compareRecordings(bench, expected, recorded);
  const wanted = (list: readonly Difference[]) =>
    list.filter((d) => !values.only || new RegExp(values.only).test(d.route));
  const differences = [
    ...comparison.differences,
    ...wanted([...missingCases(expected, recorded), ...results.differences]),
  ];
  const deliberate = deliberateDifferences();
  const unexpected = differences.filter((d) => !(`${d.route} :: ${d.case}` in deliberate));

  const text =
    report('Conformance with upstream', comparison.counts, unexpected, comparison.stale) +
    results.notes.map((note) => `\n${note}\n`).join('');
  const summary = values.summary ? resolve(values.summary) : join(work, 'conformance.md');
  writeFileSync(summary, text);

  for (const d of unexpected.slice(0, shown)) say(`${pc.bold(d.route)} :: ${d.case}\n    ${d.text}`);
  if (unexpected.length > shown) say(pc.dim(`… and ${unexpected.length - shown} more`));
  for (const entry of comparison.stale) say(`${pc.yellow('deliberate, but equal now:')} ${entry}`);
  for (const note of results.notes) say(note);
  const { counts } = comparison;
  say(
    pc.bold(
      `${counts.same} same, ${counts.allowed} deliberate, ${unexpected.length - counts.missing} different, ${counts.missing} missing, ${counts.notRecorded} not recorded`,
    ),
  );
  if (values.summary || values.keep) say(pc.dim(`summary: ${summary}`));
  return unexpected.length === 0 && comparison.stale.length === 0 && results.passed;
}

/** The recorder looks at launches for 4 s: on a busy machine ours may still be tried again then, as upstream's are left to be for ever. */
const LAUNCH = / :: launch: /;

/** The platform on which plugins are functions. */
async function serverless(bench: SharedBench, work: string): Promise<boolean> {
  const place = join(work, 'serverless');
  mkdirSync(place);
  const { counts, unexpected, stale, notes } = await compareServerless(bench, place, {
    settings: { ...backendSettings(values.database), ...sharedCache(values.database) },
    deliberate: deliberateDifferences(),
    tools: join(work, 'data/tools'),
    quick: values.quick,
    ...(values.verbose ? { echo: say } : {}),
  });
  const real = unexpected.filter((difference) => !needsMore(difference, notes));
  for (const d of real.slice(0, shown)) say(`${pc.bold(SERVERLESS + d.route)} :: ${d.case}\n    ${d.text}`);
  for (const entry of stale) say(`${pc.yellow('deliberate, but equal now:')} ${SERVERLESS}${entry}`);
  for (const note of notes) say(note);
  say(
    pc.bold(
      `serverless: ${counts.same} same, ${counts.allowed} deliberate, ${real.length} different or missing, ${unexpected.length - real.length} not recorded`,
    ),
  );
  return real.length === 0 && stale.every((entry) => LAUNCH.test(entry));
}

interface Recorded {
  readonly differences: readonly Difference[];
  /** Lines about what was compared by other means, or not at all. */
  readonly notes: readonly string[];
  readonly passed: boolean;
}

async function record(bench: SharedBench, work: string, recorded: string): Promise<Recorded> {
  const inner = join(work, 'inner.jsonl');
  await using dify = await SharedFake.start(
    bench,
    'fake-dify.mjs',
    ['--key', INNER_KEY, '--record', inner],
    join(work, 'fake-dify.log'),
  );
  await using openai = await SharedFake.start(bench, 'fake-openai.mjs', [], join(work, 'fake-openai.log'));
  const scrub = [`${dify.address}=<fake-dify>`, `${openai.address}=<fake-openai>`];

  if (values.url) {
    const target = { url: values.url, key: values.key ?? process.env.SERVER_KEY ?? '', debuggingPort: 0 };
    await recordRoutes(bench, target, recorded, { inner, openai, scrub });
    return { differences: [], notes: [], passed: true };
  }
  const notes: string[] = [];
  if (values.plugins && !values.real) {
    values.real = join(work, 'real');
    notes.push(...(await packReal(resolve(values.plugins), values.real)).map((problem) => `not packed: ${problem}`));
  }
  const dataDirectory = join(work, 'data');
  await using daemon = await DaemonProcess.start({
    dataDirectory,
    innerApi: { url: `http://${dify.address}`, key: INNER_KEY },
    settings: backendSettings(values.database),
  });
  await recordRoutes(bench, daemon, recorded, { inner, openai, scrub: [...scrub, `${dataDirectory}=<daemon-dir>`] });
  if (values.real) forgetCasesOfAbsentAgent(resolve(values.real), recorded);
  notes.push(await recordSigned(bench, work, recorded));
  const debugging = await debuggingConnection(bench, daemon, work, recorded);
  const official = await officialPackages(bench, daemon, work);
  return {
    differences: debugging.differences,
    notes: [...notes, debugging.note, ...official.notes],
    passed: official.passed,
  };
}

async function recordRoutes(
  bench: SharedBench,
  target: DebuggingTarget,
  recorded: string,
  neighbours: { readonly inner: string; readonly openai: SharedFake; readonly scrub: readonly string[] },
): Promise<void> {
  const real = values.real
    ? ['--real', resolve(values.real), '--openai', `http://${neighbours.openai.address}/v1`]
    : [];
  const args = ['--url', target.url, '--key', target.key, '--dir', recorded, '--inner-record', neighbours.inner];
  const result = await runScript(
    process.execPath,
    [join(bench.directory, 'golden.mjs'), ...args, ...real, '--scrub', neighbours.scrub.join(',')],
    { cwd: recorded, timeoutMs: RECORD_LIMIT_MS, ...(values.verbose ? { echo: say } : {}) },
  );
  writeFileSync(join(recorded, '../golden.log'), result.output);
  if (result.code !== 0) {
    say(pc.red('the recorder stopped before its end:'));
    say(result.output.trimEnd().split('\n').slice(-12).join('\n'));
  }
}

async function compareRecordings(bench: SharedBench, expected: string, recorded: string): Promise<Comparison> {
  const only = values.only ? ['--only', values.only] : [];
  // Those of the serverless platform are compared by themselves.
  const own = Object.entries(deliberateDifferences()).filter(([name]) => !name.startsWith(SERVERLESS));
  const allowed = join(recorded, '../deliberate.json');
  writeFileSync(allowed, JSON.stringify(Object.fromEntries(own)));
  const allow = ['--allow', allowed];
  const result = await runScript(
    process.execPath,
    [join(bench.directory, 'golden-diff.mjs'), expected, recorded, '--show', '100000', ...only, ...allow],
    { cwd: recorded, timeoutMs: RECORD_LIMIT_MS },
  );
  return readComparison(result.output);
}

async function debuggingConnection(
  bench: SharedBench,
  daemon: DaemonProcess,
  work: string,
  recorded: string,
): Promise<{ differences: Difference[]; note: string }> {
  if (values['no-debugging']) return { differences: [], note: 'debugging connection: left out' };
  const environment = await sdkPython(join(work, 'sdk-venv'), join(daemon.dataDirectory, 'tools'));
  if ('reason' in environment)
    return { differences: [], note: `debugging connection: not recorded, ${environment.reason}` };
  const plugin = join(work, 'sdk-plugin');
  await writeSdkPlugin(bench, plugin);
  const output = await recordDebugging(bench, daemon, environment.python, plugin, recorded);
  writeFileSync(join(work, 'golden-debug.log'), output);
  const { compared, differences } = compareDebugging(
    join(bench.golden, 'debugging_tcp.json'),
    join(recorded, 'debugging_tcp.json'),
  );
  return { differences, note: `debugging connection: ${compared - differences.length} of ${compared} steps equal` };
}

/** golden-diff.mjs knows its own cases alone: deliberate differences of the others are looked up here. */
function deliberateDifferences(): Record<string, string> {
  return readDeliberate(ALLOWED);
}

async function officialPackages(
  bench: SharedBench,
  daemon: DaemonProcess,
  work: string,
): Promise<{ notes: string[]; passed: boolean }> {
  const notes: string[] = [];
  let packages = values.packages;
  if (values.plugins) {
    packages ??= join(work, 'official-packages');
    notes.push(
      ...(await packOfficial(bench, resolve(values.plugins), packages)).map((problem) => `not packed: ${problem}`),
    );
  }
  if (!packages)
    return { notes: ['official packages: not compared (give --packages DIR or --plugins CHECKOUT)'], passed: true };
  const result = await compareOfficial(bench, daemon, resolve(packages));
  const known = deliberateDifferences();
  const unexpected = result.problems.filter((problem) => !(`official packages :: ${problem.split(':')[0]}` in known));
  const deliberate = result.problems.length - unexpected.length;
  notes.push(
    ...unexpected,
    `official packages: ${result.equal} equal, ${deliberate} deliberate, ${unexpected.length} different, ${result.missing} missing`,
  );
  return { notes, passed: unexpected.length === 0 };
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
}
