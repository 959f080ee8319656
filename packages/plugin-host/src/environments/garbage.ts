import { readdir, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { withDirectoryLock } from './directory-lock.ts';
import type { CollectedEnvironment } from './store/index.ts';
import { storedBehind, workingDirectoryName } from './working-directory.ts';

export interface GarbageOptions {
  /** Unique identifiers of everything that is installed, is being installed, or runs. Asked again before anything is removed. */
  readonly keep: () => Promise<Iterable<string>>;
  readonly signal?: AbortSignal;
  /** Only list. */
  readonly dryRun: boolean;
  /** Younger directories are left alone: somebody may be about to install them. Seconds. */
  readonly minimumAgeSeconds: number;
}

export interface GarbageReport {
  readonly directories: readonly {
    /** Relative to PLUGIN_WORKING_PATH. */
    readonly name: string;
    /** What removing it sets free: files that are also linked elsewhere (uv's cache) do not count. */
    readonly bytes: number;
    readonly removed: boolean;
  }[];
  /** Environments that plugins shared, and none does any more. */
  readonly environments: readonly CollectedEnvironment[];
  /** Shared bytecode that no environment uses; removed unless only listed. */
  readonly bytecodeBytes: number;
}

/** A working directory, or what a killed unpacking has left of one; nothing else is ever touched. */
const WORKING_DIRECTORY =
  /^\.?[a-z0-9_-]{1,255}-[0-9]{1,4}(\.[0-9]{1,4}){1,3}(-\w{1,16})?@[a-f0-9]{32,64}(\.[0-9a-f-]{36}|\.unpacked(\.[0-9a-f-]{36})?)?$/;

/** Its files on their way into it. */
const UNPACKING = /(?<=@[a-f0-9]{32,64})\..*$/;

/**
 * Finds, and unless told otherwise removes, working directories that belong to no installation
 * (docs/wire/lifecycle.md#working-directories).
 */
export async function collectGarbage(
  workingPath: string,
  options: GarbageOptions,
): Promise<Pick<GarbageReport, 'directories'>> {
  const { keep, signal = new AbortController().signal } = options;
  const keptNow = async () => new Set([...(await keep())].map(workingDirectoryName));
  const kept = await keptNow();
  const directories: GarbageReport['directories'][number][] = [];
  for (const path of await candidates(workingPath)) {
    const name = relative(workingPath, path).replaceAll('\\', '/');
    const of = name.replace(UNPACKING, '');
    if (kept.has(of)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < options.minimumAgeSeconds * 1000) continue;
    const bytes = await ownBytes(path);
    const remove = async () => {
      // Somebody may have begun to install it meanwhile; who begins from here on waits for the lock, or makes it anew.
      if ((await keptNow()).has(of)) return false;
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      return true;
    };
    if (options.dryRun) directories.push({ name, bytes, removed: false });
    else if (await withDirectoryLock(`${join(workingPath, of)}.lock`, { signal }, remove))
      directories.push({ name, bytes, removed: true });
  }
  return { directories };
}

/**
 * How many environments of plugins refer to each stored one.
 * @param gone working directories that do not count, relative
 * @param keep identifiers whose directories count whatever they are called
 */
export async function referencesIn(
  workingPath: string,
  gone: readonly string[],
  keep: Iterable<string> = [],
): Promise<ReadonlyMap<string, number>> {
  const left = new Set(gone.map((name) => join(workingPath, name)));
  const all = [
    ...(await candidates(workingPath)),
    ...[...keep].map((one) => join(workingPath, workingDirectoryName(one))),
  ];
  const counts = new Map<string, number>();
  for (const path of new Set(all)) {
    const stored = left.has(path) ? undefined : await storedBehind(join(path, '.venv'));
    if (stored !== undefined) counts.set(stored, (counts.get(stored) ?? 0) + 1);
  }
  return counts;
}

/** `<name>-<version>@<checksum>` at the top for plugins without an author, one level below for the others. */
async function candidates(workingPath: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entries(workingPath)) {
    const path = join(workingPath, entry.name);
    if (WORKING_DIRECTORY.test(entry.name)) found.push(path);
    else if (/^[a-z0-9_-]{1,64}$/.test(entry.name)) {
      for (const inner of await entries(path))
        if (WORKING_DIRECTORY.test(inner.name)) found.push(join(path, inner.name));
    }
  }
  return found;
}

async function entries(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function ownBytes(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await ownBytes(path);
    else if (entry.isFile()) {
      const { nlink, size } = await stat(path);
      if (nlink === 1) sum += size;
    }
  }
  return sum;
}
