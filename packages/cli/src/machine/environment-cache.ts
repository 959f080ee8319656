/** The kept Python environments: which exist, when each was last used, and the removal of those long unused. */
import { readdir, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GarbageReport, PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import { environmentsFolder, withKeptEnvironments } from './environment-builder.ts';

const UNUSED_SECONDS = 30 * 24 * 3600;

/** Notes that an environment was used; its folder is the one around `.venv/bin/python`. Fails silently: a hint only. */
export async function markUsed(python: string): Promise<void> {
  const now = new Date();
  await utimes(dirname(dirname(dirname(python))), now, now).catch(() => {});
}

export interface KeptEnvironments {
  /** One for each set of dependency files. */
  total: number;
  /** Not used for thirty days. */
  unused: number;
  /** Of these, and of what they alone refer to. */
  unusedBytes: number;
  /** What stands behind all of them: equal ones are one. */
  stored: number;
}

export async function keptEnvironments(env: NodeJS.ProcessEnv): Promise<KeptEnvironments> {
  const names = await namesIn(environmentsFolder(env));
  if (names === undefined) return { total: 0, unused: 0, unusedBytes: 0, stored: 0 };
  return await withKeptEnvironments({ env }, async (environments) => {
    const { directories, environments: stored, bytecodeBytes } = await collected(environments, true);
    return {
      total: names.filter((name) => name.startsWith('dependencies-') && !name.endsWith('.lock')).length,
      unused: directories.length,
      unusedBytes: [...directories, ...stored].reduce((sum, { bytes }) => sum + bytes, bytecodeBytes),
      stored: (await environments.list()).length,
    };
  });
}

/** Deletes the unused ones, with what nothing refers to any more; all of them can be made again. @returns how many */
export async function pruneEnvironments(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  if ((await namesIn(environmentsFolder(env))) === undefined) return 0;
  const work = (environments: PythonEnvironments) => collected(environments, false, signal);
  const { directories } = await withKeptEnvironments({ env }, work);
  return directories.filter(({ removed }) => removed).length;
}

/** undefined where nothing is kept yet, or nothing can be: another check says so. */
const namesIn = (folder: string): Promise<string[] | undefined> => readdir(folder).catch(() => undefined);

/** Nothing is kept for its name: what is used is young. */
const collected = (environments: PythonEnvironments, dryRun: boolean, signal?: AbortSignal): Promise<GarbageReport> =>
  environments.collectGarbage({
    keep: async () => [],
    dryRun,
    minimumAgeSeconds: UNUSED_SECONDS,
    ...(signal && { signal }),
  });
