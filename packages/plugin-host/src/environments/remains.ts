/** What processes that were killed have left below PLUGIN_WORKING_PATH, outside of working directories. */
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAbandonedLock } from './directory-lock.ts';
import { isDraft, removeLeftBehind } from './lives.ts';

/** Folders of which everything is a draft. */
const MADE_IN = ['.build', '.parents'];
const CHECKS = '.check-';
const AUTHOR = /^[a-z0-9_-]{1,64}$/;

/** Locks and drafts without an owner, and folders of authors of whom nothing is left. */
export async function sweepRemains(workingPath: string): Promise<void> {
  for (const folder of MADE_IN) await sweepDrafts(join(workingPath, folder));
  await sweepLocks(join(workingPath, '.environments'));
  await sweepLocks(workingPath);
  for (const name of await namesIn(workingPath)) {
    const path = join(workingPath, name);
    if (name.startsWith(CHECKS)) await removeLeftBehind(path);
    if (!AUTHOR.test(name)) continue;
    await sweepLocks(path);
    // Fails where there is something in it, or it is a file.
    await rmdir(path).catch(() => undefined);
  }
}

async function sweepDrafts(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) if (isDraft(name)) await removeLeftBehind(join(folder, name));
}

/** Of locks, and of what becomes one. */
async function sweepLocks(folder: string): Promise<void> {
  for (const name of await namesIn(folder)) {
    if (name.endsWith('.lock')) await removeAbandonedLock(join(folder, name));
    else if (name.includes('.lock.') && isDraft(name)) await removeLeftBehind(join(folder, name));
  }
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
