/** Uploads Dify's official plugins and compares identifier and declaration with upstream's, through ../shared/bench. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebuggingTarget } from './debugging.ts';
import { runScript, type SharedBench } from './shared-bench.ts';
import { CLI } from './signed.ts';

const UPLOAD_LIMIT_MS = 600_000;
const PACK_LIMIT_MS = 120_000;

export interface OfficialResult {
  readonly equal: number;
  readonly different: number;
  readonly missing: number;
  /** One line for each package that differs. */
  readonly problems: readonly string[];
}

/** The packages of the recording, as `<category>/<folder>`. */
export function recordedPackages(bench: SharedBench): string[] {
  const text = readFileSync(join(bench.golden, 'official-packages.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line): { package: string } => JSON.parse(line))
    .map((entry) => entry.package);
}

/** Packs the recorded plugins of a checkout with our command line tool; returns why a package could not be made. */
export async function packOfficial(bench: SharedBench, checkout: string, target: string): Promise<string[]> {
  mkdirSync(target, { recursive: true });
  const problems: string[] = [];
  for (const name of recordedPackages(bench)) {
    const file = join(target, `${name.replace('/', '_')}.difypkg`);
    const folder = join(checkout, name);
    if (existsSync(file) || !existsSync(folder)) continue;
    const result = await runScript(process.execPath, [CLI, 'plugin', 'package', folder, '-o', file], {
      cwd: target,
      timeoutMs: PACK_LIMIT_MS,
    });
    if (result.code !== 0) problems.push(`${name}: ${result.output.trim().split('\n').at(-1)}`);
  }
  return problems;
}

/** The plugins of the cases named `real …`, by the file name that the recorder looks for. */
const REAL = {
  'maths.difypkg': 'tools/maths',
  'openai_api_compatible.difypkg': 'models/openai_api_compatible',
  'github.difypkg': 'datasources/github',
  'rsshub_trigger.difypkg': 'triggers/rsshub_trigger',
  'oaicompat_dify_model.difypkg': 'extensions/oaicompat_dify_model',
};

/** A sixth, an old release of the agent strategies, is in no checkout; what was recorded without it is taken out again. */
export function forgetCasesOfAbsentAgent(packages: string, recorded: string): void {
  if (readdirSync(packages).some((file) => file.startsWith('langgenius-agent'))) return;
  const file = join(recorded, 'plugin_tenant_id_dispatch_agent_strategy_invoke.json');
  if (!existsSync(file)) return;
  const recording: { cases: readonly { case: string }[] } = JSON.parse(readFileSync(file, 'utf8'));
  const cases = recording.cases.filter((entry) => !entry.case.startsWith('real agent'));
  writeFileSync(file, JSON.stringify({ ...recording, cases }));
}

/** Packs them from a checkout. */
export async function packReal(checkout: string, target: string): Promise<string[]> {
  mkdirSync(target, { recursive: true });
  const problems: string[] = [];
  for (const [file, folder] of Object.entries(REAL)) {
    const args = [CLI, 'plugin', 'package', join(checkout, folder), '-o', join(target, file)];
    const result = await runScript(process.execPath, args, { cwd: target, timeoutMs: PACK_LIMIT_MS });
    if (result.code !== 0) problems.push(`${folder}: ${result.output.trim().split('\n').at(-1)}`);
  }
  return problems;
}

export async function compareOfficial(
  bench: SharedBench,
  target: DebuggingTarget,
  packages: string,
  only?: string,
): Promise<OfficialResult> {
  const args = ['--packages', packages, '--expected', join(bench.golden, 'official-packages.jsonl')];
  const result = await runScript(
    process.execPath,
    [join(bench.directory, 'official-packages.mjs'), ...args, ...(only ? ['--only', only] : [])],
    { cwd: packages, env: { BENCH_URL: target.url, BENCH_KEY: target.key }, timeoutMs: UPLOAD_LIMIT_MS },
  );
  const last = /(\d+) equal, (\d+) different, (\d+) missing/.exec(result.output);
  if (!last) throw new Error(`the comparison of official packages broke off:\n${result.output.slice(-2000)}`);
  return {
    equal: Number(last[1]),
    different: Number(last[2]),
    missing: Number(last[3]),
    problems: result.output.trim().split('\n').slice(0, -1),
  };
}
