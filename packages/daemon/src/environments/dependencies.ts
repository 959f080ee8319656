/** What the installer is told for one plugin: which dependency file, which subcommand, which flags (lifecycle §8.4). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkingDirectory } from './working-directory.ts';

export interface DependencyFiles {
  readonly pyproject: boolean;
  readonly requirements: boolean;
  readonly lock: boolean;
  /** `vendor/wheels` holds at least one wheel. */
  readonly vendoredWheels: boolean;
  /** `vendor/requirements.txt`: the closure that the wheels stand for, pinned. */
  readonly vendoredRequirements: boolean;
}

export interface InstallFlags {
  readonly mirrorUrl: string | undefined;
  readonly ignoreLock: boolean;
  readonly verbose: boolean;
  /** Already split; upstream splits on white space and knows no quotes. */
  readonly extraArgs: readonly string[];
}

export interface InstallPlan {
  /** The file that names the dependencies, relative to the working directory. */
  readonly file: string;
  readonly args: readonly string[];
  /** A requirements file whose resolution may be remembered: nothing pins it but the index. */
  readonly resolves: boolean;
}

export const VENDORED_WHEELS = 'vendor/wheels';
export const VENDORED_REQUIREMENTS = 'vendor/requirements.txt';

/** Which of them an unpacked package has, and the text of its pyproject.toml ('' without one). */
export async function readDependencyFiles(
  directory: WorkingDirectory,
): Promise<{ files: DependencyFiles; pyproject: string }> {
  const wheels = await readdir(join(directory.path, VENDORED_WHEELS)).catch(() => []);
  const pyproject = await readFile(join(directory.path, 'pyproject.toml'), 'utf8').catch(() => undefined);
  return {
    pyproject: pyproject ?? '',
    files: {
      pyproject: pyproject !== undefined,
      requirements: directory.has('requirements.txt'),
      lock: directory.has('uv.lock'),
      vendoredWheels: wheels.some((name) => name.endsWith('.whl')),
      vendoredRequirements: directory.has(VENDORED_REQUIREMENTS),
    },
  };
}

/**
 * Undefined when the package names its dependencies nowhere.
 * A mirror prefers requirements.txt, because a lock file names its files at the public index and ignores mirrors.
 */
export function planInstall(files: DependencyFiles, flags: InstallFlags): InstallPlan | undefined {
  const verbose = flags.verbose ? ['-v'] : [];
  if (files.vendoredWheels) {
    const file = files.vendoredRequirements
      ? VENDORED_REQUIREMENTS
      : files.requirements
        ? 'requirements.txt'
        : 'pyproject.toml';
    if (!files.vendoredRequirements && !files.requirements && !files.pyproject) return undefined;
    const args = ['pip', 'install', '--no-index', '--find-links', VENDORED_WHEELS, '-r', file, ...verbose];
    return { file, args, resolves: false };
  }
  const index = flags.mirrorUrl === undefined ? [] : ['-i', flags.mirrorUrl];
  const preferRequirements = flags.mirrorUrl !== undefined && files.requirements;
  if (files.pyproject && !preferRequirements) {
    const frozen = files.lock && !flags.ignoreLock;
    const extra = frozen ? flags.extraArgs.filter((arg) => arg !== '--frozen') : flags.extraArgs;
    const args = ['sync', '--no-dev', ...(frozen ? ['--frozen'] : []), ...index, ...verbose, ...extra];
    return { file: 'pyproject.toml', args, resolves: false };
  }
  if (!files.requirements) return undefined;
  const args = ['pip', 'install', ...index, '-r', 'requirements.txt', ...verbose, ...flags.extraArgs];
  return { file: 'requirements.txt', args, resolves: flags.extraArgs.length === 0 };
}

/**
 * Arguments of `compileall` for the plugin's own files: each `-x P` among the extra ones is merged into the pattern of
 * what to leave out, the last one wins.
 */
export function compileArguments(extra: readonly string[]): string[] {
  const kept: string[] = [];
  let exclude = String.raw`\.venv|\.uv-cache`;
  for (let i = 0; i < extra.length; i++) {
    const arg = extra[i] ?? '';
    const pattern = extra[i + 1];
    if (arg === '-x' && pattern !== undefined) {
      exclude = String.raw`\.venv|\.uv-cache|${pattern}`;
      i++;
    } else {
      kept.push(arg);
    }
  }
  return ['-m', 'compileall', ...kept, '-x', exclude, '.'];
}

export const splitArguments = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
