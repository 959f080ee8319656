/** The kept Python environments: which exist, when each was last used, and the removal of those long unused. */
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDirectory } from '../files/cache.ts';

const UNUSED_MS = 30 * 24 * 3600 * 1000;

export function environmentsFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), 'environments');
}

/** Notes that an environment was used; its folder is the one around `.venv/bin/python`. Fails silently: a hint only. */
export async function markUsed(python: string): Promise<void> {
  const now = new Date();
  await utimes(dirname(dirname(dirname(python))), now, now).catch(() => {});
}

export interface KeptEnvironments {
  total: number;
  /** Folders not used for thirty days. */
  unused: string[];
}

export async function keptEnvironments(env: NodeJS.ProcessEnv, now: Date = new Date()): Promise<KeptEnvironments> {
  const root = environmentsFolder(env);
  const names = (await readdir(root).catch(() => [])).filter((name) => name.startsWith('dependencies-'));
  const unused: string[] = [];
  for (const name of names) {
    const info = await stat(join(root, name)).catch(() => undefined);
    if (info !== undefined && now.getTime() - info.mtimeMs > UNUSED_MS) unused.push(join(root, name));
  }
  return { total: names.length, unused };
}

/** Deletes the unused ones; all of them can be made again. @returns how many */
export async function pruneEnvironments(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const { unused } = await keptEnvironments(env);
  let deleted = 0;
  for (const folder of unused) {
    if (signal.aborted) break;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    deleted++;
  }
  return deleted;
}
