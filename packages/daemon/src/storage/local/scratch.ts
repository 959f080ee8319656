import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './file-errors.ts';

/** A file that is being written changes all the time; one that has not for this long has lost its process. */
const abandonedMs = 3_600_000;

/** Removes what processes that died left half-written, whoever they were, and the folders that become empty by it. */
export async function clearAbandoned(scratch: string): Promise<void> {
  const entries = await unlessGone(() => readdir(scratch, { withFileTypes: true }));
  for (const entry of entries ?? []) {
    const path = join(scratch, entry.name);
    if (!entry.isDirectory()) await removeIfOld(path);
    else {
      const wasOld = await isOld(path);
      for (const name of (await unlessGone(() => readdir(path))) ?? []) await removeIfOld(join(path, name));
      // That of a node which starts now, or has just written, is empty, too.
      if (wasOld) await unlessGone(() => rmdir(path));
    }
  }
}

async function removeIfOld(path: string): Promise<void> {
  if (await isOld(path)) await rm(path, { recursive: true, force: true });
}

async function isOld(path: string): Promise<boolean> {
  const found = await unlessGone(() => stat(path));
  return found !== undefined && Date.now() - found.mtimeMs > abandonedMs;
}

/** Other nodes finish, and tidy, at the same time. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return undefined;
    throw error;
  }
}
