/** What a package asks for, under names by which it is known again without asking the installer anything. */
import { createHash } from 'node:crypto';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type DependencyFacts, type InstallPlan, LARGEST, ownSources } from '../dependencies/index.ts';

/** Whatever else decides what is installed: settings of the operator, the manifest's Python, what we do to the SDK. */
export type KnownCircumstances = readonly unknown[];

const digest = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Beyond it the package is read in a thread, as ever. */
const LARGEST_START = 256 * 1024;
const LARGEST_REQUIREMENTS = 64 * 1024;

/**
 * By the bytes of the files that a plan is made of, where these are all of them: the same package again, or its next version.
 * Undefined where files are named by other files, or carried.
 */
export async function packageKey(
  directory: string,
  entrypoint: string,
  circumstances: KnownCircumstances,
): Promise<string | undefined> {
  const names: readonly [string, number][] = [
    ['requirements.txt', LARGEST_REQUIREMENTS],
    ['pyproject.toml', LARGEST['pyproject.toml'] ?? 0],
    ['uv.lock', LARGEST['uv.lock'] ?? 0],
    [`${entrypoint.replaceAll('.', '/')}.py`, LARGEST_START],
  ];
  const [requirements, pyproject, lock, start] = await Promise.all(
    names.map(([name, limit]) => textOf(join(directory, name), limit)),
  );
  const texts = [requirements, pyproject, lock, start];
  if (texts.some((text) => text === 'unread') || (await isThere(join(directory, 'vendor')))) return undefined;
  // Files that are named in here would have to be read as well; UTF-16 hides it.
  if (/^\s*-/m.test(requirements ?? '') || requirements?.includes('\0')) return undefined;
  if (pyproject?.includes('dynamic') || pyproject?.includes('\0')) return undefined;
  const present = await Promise.all(['dify_plugin', 'dify_plugin.py', 'src'].map((n) => isThere(join(directory, n))));
  return digest('package', requirements, pyproject, lock, start?.includes('dify_plugin'), present, circumstances);
}

/**
 * By what was made of the files: another plugin that asks for the same. Undefined where that names addresses or files, whose content is
 * not known from here.
 */
export function planKey(
  facts: DependencyFacts,
  plan: InstallPlan,
  circumstances: KnownCircumstances,
): string | undefined {
  const project = facts.pyproject !== undefined && 'content' in facts.pyproject ? facts.pyproject.content : undefined;
  const traits = [
    facts.startsSdk && !facts.carriesSdk,
    facts.hasSourceFolder && project?.installable === true,
    project?.requiresPython,
  ];
  const whole = (...content: readonly unknown[]) => digest('plan', plan.kind, content, traits, circumstances);
  if (plan.kind === 'nothing') return whole();
  if (plan.kind === 'lock') return facts.lockDigest && whole(facts.lockDigest, ownSources(facts));
  const { requirements, constraints, overrides, options, prerelease, vendored } = plan;
  const all = [...requirements, ...constraints, ...overrides];
  if (all.some(({ url, path }) => url !== undefined || path !== undefined)) return undefined;
  const texts = [requirements, constraints, overrides].map((list) => list.map(({ text }) => text).sort());
  if (vendored) return facts.vendoredDigest && whole(texts, options, prerelease, facts.vendoredDigest);
  return whole(texts, options, prerelease, ownSources(facts));
}

/** Undefined when it is not there; `unread` when it is no file, or too large. */
async function textOf(path: string, limit: number): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > limit) return 'unread';
  const file = await open(path, 'r');
  try {
    return (await file.readFile()).toString('latin1');
  } finally {
    await file.close();
  }
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
