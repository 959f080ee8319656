import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Compiled bytecode of installed distributions, shared between environments by hard links.
 *
 * A fresh environment has none, and importing the SDK then costs a second of compiling instead of a third. Compiling
 * everything at once costs two seconds and is mostly for modules nobody imports. So the first plugin compiles what it
 * imports, as Python always does; that is harvested into the store some seconds later, and the next environment with the
 * same wheels starts with it.
 *
 * Sound because Python itself checks a .pyc against size and time of its source, and uv hard-links sources from its cache,
 * so they are the same file in all environments; where it has to copy them, the bytecode is only found stale and made
 * anew. Python replaces a .pyc by renaming, so nobody writes into a shared file.
 */
export class BytecodeStore {
  readonly #root: string;

  /** @param root a directory on the same volume as the environments */
  constructor(root: string) {
    this.#root = root;
  }

  /** Links what the store has into a site-packages directory. Returns the number of files. */
  provide(sitePackages: string): Promise<number> {
    return this.#each(sitePackages, (stored, files) => {
      let linked = 0;
      const folders = new Set<string>();
      for (const name of readdirOrNone(stored)) {
        const path = files.get(name);
        if (path === undefined) continue;
        const target = join(sitePackages, path);
        const folder = dirname(target);
        if (!folders.has(folder)) {
          mkdirSync(folder, { recursive: true });
          folders.add(folder);
        }
        if (linkQuietly(join(stored, name), target)) linked++;
      }
      return linked;
    });
  }

  /** Adds the bytecode that has come into being in a site-packages directory. Returns the number of new files. */
  harvest(sitePackages: string): Promise<number> {
    return this.#each(sitePackages, (stored, files) => {
      const present = new Set(readdirOrNone(stored));
      let added = 0;
      for (const [name, path] of files) {
        if (present.has(name)) continue;
        if (added === 0) mkdirSync(stored, { recursive: true });
        if (linkQuietly(join(sitePackages, path), join(stored, name))) added++;
      }
      return added;
    });
  }

  /** Removes what no environment shares any more, or only counts it. Returns its bytes. */
  async prune(dryRun: boolean): Promise<number> {
    let unused = 0;
    for (const tag of readdirOrNone(this.#root)) {
      for (const name of readdirOrNone(join(this.#root, tag))) {
        const folder = join(this.#root, tag, name);
        const files = readdirOrNone(folder).map((file) => statSync(join(folder, file)));
        await nextTurn();
        if (files.some((file) => file.nlink > 1)) continue;
        unused += files.reduce((sum, file) => sum + file.size, 0);
        if (!dryRun) await rm(folder, { recursive: true, force: true });
      }
    }
    return unused;
  }

  /** One distribution after the other, giving way to the event loop in between: each takes well under a millisecond or two. */
  async #each(sitePackages: string, act: (stored: string, files: Map<string, string>) => number): Promise<number> {
    const tag = interpreterTag(sitePackages);
    let sum = 0;
    for (const name of await readdir(sitePackages)) {
      if (!name.endsWith('.dist-info')) continue;
      const record = readOrNone(join(sitePackages, name, 'RECORD'));
      if (record === undefined) continue;
      const key = `${basename(name, '.dist-info')}-${createHash('sha256').update(recordIdentity(record)).digest('hex').slice(0, 16)}`;
      sum += act(join(this.#root, tag, key), bytecodeFiles(record, tag));
      await nextTurn();
    }
    return sum;
  }
}

/** RECORD without what installing changes in it: the installer's own files and the scripts with their interpreter line. */
const recordIdentity = (record: string): string =>
  record
    .split('\n')
    .filter((line) => !line.includes('.dist-info/') && !line.startsWith('../'))
    .join('\n');

/** `cpython-312` from `…/lib/python3.12/site-packages`. */
function interpreterTag(sitePackages: string): string {
  return `cpython-${basename(dirname(sitePackages)).replace(/[^0-9]/g, '')}`;
}

/** Every bytecode file a distribution can have, by its name in the store: the path below site-packages with `/` as `!`. */
function bytecodeFiles(record: string, tag: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const line of record.split('\n')) {
    const path = line.startsWith('"') ? line.slice(1, line.indexOf('"', 1)) : line.slice(0, line.indexOf(','));
    if (!path.endsWith('.py') || path.includes('..') || path.startsWith('/')) continue;
    const folder = dirname(path);
    const pyc = join(folder, '__pycache__', `${basename(path, '.py')}.${tag}.pyc`);
    files.set(pyc.replaceAll('/', '!'), pyc);
  }
  return files;
}

function linkQuietly(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false; // not compiled yet, there already, or a file system without links: bytecode is never needed, only useful
  }
}

function readOrNone(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readdirOrNone(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
