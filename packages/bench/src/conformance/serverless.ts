/**
 * The serverless platform: a daemon between a fake connector, its functions and a fake Dify, through the recorder of ../shared/bench. The
 * cases bear names that those of the local platform have too, so their deliberate differences stand under names of their own.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonProcess } from '../daemon/index.ts';
import { pyenvPythons, uvIn } from './debugging.ts';
import { type Counts, type Difference, missingCases, readComparison } from './differences.ts';
import { runScript, type SharedBench, SharedFake } from './shared-bench.ts';

/** In front of the route, in the list of deliberate differences. */
export const SERVERLESS = 'serverless ';

const INNER_KEY = 'conformance-inner-key';
const ADMIN_KEY = 'conformance-admin-key';
const SRI_KEY = 'conformance-sri-key';
const RECORD_LIMIT_MS = 900_000;
/** What upstream's recording was made with; of the launch, a little more, for machines that do other things too. */
const RECORDED_WITH = {
  PLATFORM: 'serverless',
  ADMIN_API_ENABLED: 'true',
  ADMIN_API_KEY: ADMIN_KEY,
  MAX_SERVERLESS_REQUEST_BYTES: '4096',
  MAX_SERVERLESS_TRANSACTION_TIMEOUT: '28',
  PLUGIN_MAX_EXECUTION_TIMEOUT: '35',
  DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT: '17',
  PLUGIN_MAX_MESSAGE_BYTES: '65536',
};

export interface ServerlessOptions {
  /** On top of what the recording was made with, such as a database. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names and reasons of the differences that are meant. */
  readonly deliberate: Readonly<Record<string, string>>;
  /** Where a daemon of the same run keeps a uv that it fetched. */
  readonly tools: string;
  /** Without the cases that wait for time limits: they are then missing. */
  readonly quick: boolean;
  readonly echo?: (line: string) => void;
}

export interface ServerlessResult {
  readonly counts: Counts;
  readonly unexpected: readonly Difference[];
  readonly stale: readonly string[];
  readonly notes: readonly string[];
}

/** Records in `work` and compares. */
export async function compareServerless(
  bench: SharedBench,
  work: string,
  options: ServerlessOptions,
): Promise<ServerlessResult> {
  const recorded = join(work, 'recorded');
  mkdirSync(recorded, { recursive: true });
  const notes = await record(bench, work, recorded, options);
  withoutSecrets(recorded);
  const expected = join(bench.golden, 'serverless');
  const deliberate = Object.fromEntries(
    Object.entries(options.deliberate).flatMap(([name, reason]) =>
      name.startsWith(SERVERLESS) ? [[name.slice(SERVERLESS.length), reason]] : [],
    ),
  );
  const allow = join(work, 'deliberate.json');
  writeFileSync(allow, JSON.stringify(deliberate));
  const { output } = await runScript(
    process.execPath,
    [join(bench.directory, 'golden-diff.mjs'), expected, recorded, '--show', '100000', '--allow', allow],
    { cwd: recorded, timeoutMs: RECORD_LIMIT_MS },
  );
  const { counts, differences, stale } = readComparison(output);
  const unexpected = [...differences, ...missingCases(expected, recorded)].filter(
    (difference) => !(`${difference.route} :: ${difference.case}` in deliberate),
  );
  return { counts, unexpected, stale, notes };
}

async function record(
  bench: SharedBench,
  work: string,
  recorded: string,
  { settings, tools, quick, echo }: ServerlessOptions,
): Promise<readonly string[]> {
  const uv = uvIn(tools);
  const sriRecord = join(work, 'sri.jsonl');
  await using dify = await SharedFake.start(bench, 'fake-dify.mjs', ['--key', INNER_KEY], join(work, 'fake-dify.log'));
  const place = await DaemonProcess.reserve();
  await using sri = await SharedFake.start(
    bench,
    'fake-sri.mjs',
    [
      ...['--key', SRI_KEY, '--daemon', place.url, '--record', sriRecord, '--dir', join(work, 'sri')],
      ...(uv === undefined ? [] : ['--uv', uv]),
      // Where it is offered under no name, uv would fetch one.
      ...pyenvPythons()
        .slice(0, 1)
        .flatMap((python) => ['--python', python]),
    ],
    join(work, 'fake-sri.log'),
    '/__state',
  );
  // Only nodes that share database and cache are nodes of one daemon; they need one store, too.
  const shares = settings.REDIS_HOST !== undefined && settings.DB_HOST !== undefined;
  const daemonOptions = {
    innerApi: { url: `http://${dify.address}`, key: INNER_KEY },
    settings: {
      ...RECORDED_WITH,
      ...settings,
      ...(shares && { PLUGIN_STORAGE_LOCAL_ROOT: join(work, 'storage') }),
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: `http://${sri.address}`,
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: SRI_KEY,
    },
  };
  await using daemon = await DaemonProcess.start({ ...daemonOptions, dataDirectory: join(work, 'data'), at: place });
  await using second = shares
    ? await DaemonProcess.start({ ...daemonOptions, dataDirectory: join(work, 'second') })
    : undefined;
  const args = ['--url', daemon.url, '--key', daemon.key, '--admin-key', ADMIN_KEY, '--dir', recorded];
  const result = await runScript(
    process.execPath,
    [
      join(bench.directory, 'golden-serverless.mjs'),
      ...args,
      ...['--sri', `http://${sri.address}`, '--sri-key', SRI_KEY, '--sri-record', sriRecord],
      ...['--scrub', `${dify.address}=<fake-dify>`],
      ...(second === undefined ? [] : ['--second', second.url]),
      ...(uv === undefined ? [] : ['--sdk', 'yes']),
      ...(quick ? ['--quick', 'yes'] : []),
    ],
    { cwd: recorded, timeoutMs: RECORD_LIMIT_MS, ...(echo && { echo }) },
  );
  writeFileSync(join(work, 'golden-serverless.log'), result.output);
  return [
    ...(result.code === 0 ? [] : [`the recorder stopped before its end:\n${lastLines(result.output)}`]),
    ...(second === undefined
      ? ['transactions at another node: not recorded (they need a database server and Redis, see `npm run services`)']
      : []),
    ...(uv === undefined ? ['plugins on the SDK: not recorded (no uv was found)'] : []),
  ];
}

/** A header that every request to a function has, and upstream's has not: one difference, said once (docs/differences.md). */
const SECRET = 'dify-plugin-session-secret';

function withoutSecrets(recorded: string): void {
  for (const name of readdirSync(recorded).filter((file) => file.endsWith('.json'))) {
    const file = join(recorded, name);
    const text = readFileSync(file, 'utf8');
    const kept = JSON.parse(text, (key, value: unknown) => (key.toLowerCase() === SECRET ? undefined : value));
    writeFileSync(file, JSON.stringify(kept));
  }
}

const lastLines = (output: string): string => output.trimEnd().split('\n').slice(-12).join('\n');

/** Whether a case was left out because something it needs was not there. */
export const needsMore = (difference: Difference, notes: readonly string[]): boolean =>
  (/at another node|^boot$/.test(difference.case) &&
    notes.some((note) => note.startsWith('transactions at another node'))) ||
  (/SDK/.test(difference.case) && notes.some((note) => note.startsWith('plugins on the SDK')));

/** The differences that are meant, if the list is there. */
export const readDeliberate = (file: string): Record<string, string> =>
  existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
