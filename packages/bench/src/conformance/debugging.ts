/**
 * The debugging connection: a real plugin on the real SDK connects, is called and killed, through the recorder of
 * ../shared/bench. Its file has a shape of its own, so it is compared here.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Difference } from './differences.ts';
import { runScript, type SharedBench } from './shared-bench.ts';

/** The version of upstream's recording. */
const SDK = 'dify_plugin==0.9.0';
const INSTALL_LIMIT_MS = 300_000;
const RECORD_LIMIT_MS = 180_000;
const RECORDED_CHARACTERS = 8000;
export const DEBUGGING_ROUTE = 'debugging TCP runtime';

/**
 * A Python with the SDK of upstream's recording, made in `directory`; a sentence saying why not otherwise. Another version of
 * the SDK would differ by itself, so it is not tried.
 * @param tools where the daemon keeps a uv that it fetched
 */
export async function sdkPython(directory: string, tools: string): Promise<{ python: string } | { reason: string }> {
  const python = join(directory, 'bin/python');
  const works = async () => existsSync(python) && (await quiet(python, ['-c', 'import dify_plugin'], directory)) === 0;
  mkdirSync(directory, { recursive: true });
  if (await works()) return { python };
  const withUv = [process.env.UV_PATH, 'uv', ...fetchedUv(tools)]
    .filter((uv) => uv !== undefined)
    .map((uv): Step[] => [
      [uv, ['venv', '--clear', '--python', '3.12', directory]],
      [uv, ['pip', 'install', '--python', python, SDK]],
    ]);
  const withPip = ['python3.13', 'python3.12', 'python3', ...pyenvPythons()].map((name): Step[] => [
    [name, ['-m', 'venv', '--clear', directory]],
    [python, ['-m', 'pip', 'install', '-q', SDK]],
  ]);
  for (const steps of [...withUv, ...withPip]) {
    let failed = false;
    for (const [command, args] of steps) failed ||= (await quiet(command, args, directory)) !== 0;
    if (!failed && (await works())) return { python };
  }
  return { reason: `neither uv nor python3 -m venv could make an environment with ${SDK} (it needs Python 3.12)` };
}

type Step = readonly [command: string, args: readonly string[]];

/** Interpreters that pyenv keeps but offers under no name. */
export function pyenvPythons(): string[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  if (!existsSync(versions)) return [];
  const fitting = readdirSync(versions).filter((version) => /^3\.1[2-9]\./.test(version));
  return fitting.map((version) => join(versions, version, 'bin/python3'));
}

function fetchedUv(tools: string): string[] {
  if (!existsSync(tools)) return [];
  const files = readdirSync(tools, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => basename(file) === 'uv').map((file) => join(tools, file));
}

/** A uv of this machine; undefined if there is none. @param tools where a daemon keeps one that it fetched */
export function uvIn(tools: string): string | undefined {
  const named = process.env.UV_PATH;
  return named !== undefined && existsSync(named) ? named : fetchedUv(tools)[0];
}

async function quiet(command: string, args: readonly string[], directory: string): Promise<number | null> {
  try {
    return (await runScript(command, args, { cwd: dirname(directory), timeoutMs: INSTALL_LIMIT_MS })).code;
  } catch {
    return null;
  }
}

/** Unpacks the SDK plugin of ../shared/bench, without packaging it. */
export async function writeSdkPlugin(bench: SharedBench, directory: string): Promise<void> {
  const generator: { buildPlugin(options: object): { files: Record<string, Buffer | string> } } = await import(
    pathToFileURL(join(bench.directory, 'gen-plugin.mjs')).href
  );
  for (const [name, content] of Object.entries(generator.buildPlugin({ kind: 'sdk', category: 'tool' }).files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
}

export interface DebuggingTarget {
  readonly url: string;
  readonly key: string;
  readonly debuggingPort: number;
}

export async function recordDebugging(
  bench: SharedBench,
  target: DebuggingTarget,
  python: string,
  pluginDirectory: string,
  recorded: string,
): Promise<string> {
  const args = ['--url', target.url, '--key', target.key, '--python', python, '--plugin-dir', pluginDirectory];
  const result = await runScript(
    process.execPath,
    [
      join(bench.directory, 'golden-debug.mjs'),
      ...args,
      '--debug-port',
      String(target.debuggingPort),
      '--dir',
      recorded,
    ],
    { cwd: recorded, timeoutMs: RECORD_LIMIT_MS },
  );
  return result.output;
}

interface DebuggingRecording {
  readonly handshake: Readonly<Record<string, { readonly received: string; readonly stillOpenAfterMs?: number }>>;
  readonly lines: readonly { readonly from: string; readonly line: string }[];
  readonly http: readonly { readonly name: string; readonly status: number; readonly body: string }[];
}

/** How many cases were compared, and which differ. */
export function compareDebugging(
  expectedFile: string,
  actualFile: string,
): { compared: number; differences: Difference[] } {
  const expected: DebuggingRecording = JSON.parse(readFileSync(expectedFile, 'utf8'));
  const differences: Difference[] = [];
  const differ = (name: string, text: string) => differences.push({ route: DEBUGGING_ROUTE, case: name, text });
  const names = [...Object.keys(expected.handshake), 'lines of the daemon', ...expected.http.map((step) => step.name)];
  if (!existsSync(actualFile)) {
    for (const name of names) differ(name, 'not recorded: no plugin came as far as this');
    return { compared: names.length, differences };
  }
  const actual: DebuggingRecording = JSON.parse(readFileSync(actualFile, 'utf8'));
  for (const [name, answer] of Object.entries(expected.handshake)) {
    const got = actual.handshake[name];
    const seen = (a: typeof answer | undefined) =>
      JSON.stringify({ received: a?.received, closed: a?.stillOpenAfterMs === undefined });
    if (seen(answer) !== seen(got)) differ(name, `expected ${seen(answer)} got ${seen(got)}`);
  }
  const daemonLines = (recording: DebuggingRecording) =>
    recording.lines.filter((line) => line.from === 'daemon').map((line) => steady(line.line));
  const [wanted, got] = [daemonLines(expected), daemonLines(actual)];
  const at = wanted.findIndex((line, index) => line !== got[index]);
  if (at >= 0) differ('lines of the daemon', `line ${at}: expected ${wanted[at]} got ${got[at]}`);
  else if (got.length !== wanted.length)
    differ('lines of the daemon', `expected ${wanted.length} lines got ${got.length}, the next ${got[wanted.length]}`);
  for (const step of expected.http) {
    const other = actual.http.find((candidate) => candidate.name === step.name);
    if (!other) differ(step.name, 'not recorded');
    else if (other.status !== step.status)
      differ(step.name, `status: expected ${step.status} got ${other.status} ${other.body.slice(0, 200)}`);
    else if (!isWhole(step.body) || !isWhole(other.body)) continue;
    else {
      const text = firstTextDifference(steadyBody(step.body), steadyBody(other.body));
      if (text) differ(step.name, text);
    }
  }
  return { compared: names.length, differences };
}

const VOLATILE =
  /"(id|installation_id|session_id|backwards_request_id|created_at|updated_at|plugin_unique_identifier|checksum|seconds|traceback)":("[^"]*"|[\d.e+-]+)/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** The same JSON with its keys in order and without what changes from run to run; other text as it is. */
function steady(text: string): string {
  let out = text;
  try {
    out = JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    // not JSON: compared as text
  }
  return out.replace(VOLATILE, '"$1":"<$1>"').replace(UUID, (id) => (id.startsWith('00000000-') ? id : '<uuid>'));
}

/** The recorder cuts long bodies; two halves with keys in another order say nothing about each other. */
function isWhole(body: string): boolean {
  return body.length < RECORDED_CHARACTERS;
}

/** Chunks of the stream that was cut are a matter of timing: one stands for all. */
function steadyBody(body: string): string {
  const events = body
    .split('\n\n')
    .filter(Boolean)
    .map((event) => steady(event.replace(/^data: /, '')).replace(/chunk-\d+/, 'chunk-n'));
  return [...new Set(events)].join('\n');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

function firstTextDifference(expected: string, actual: string): string | undefined {
  if (expected === actual) return undefined;
  let at = 0;
  while (expected[at] === actual[at]) at++;
  const from = Math.max(0, at - 60);
  return `expected …${expected.slice(from, at + 120)}… got …${actual.slice(from, at + 120)}…`;
}
