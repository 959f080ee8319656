import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { draftName, isDraft, isLeftBehind } from './lives.ts';

/**
 * Remembers for a while what a requirements file came to, so that installing the next version of a plugin, or another
 * plugin with the same requirements, asks the index nothing: with unpinned requirements that question costs ten times the
 * installation itself.
 */
export class ResolutionStore {
  readonly #root: string;
  readonly #maximumAgeMs: number;

  constructor(root: string, options: { maximumAgeSeconds: number }) {
    this.#root = root;
    this.#maximumAgeMs = options.maximumAgeSeconds * 1000;
  }

  /** The file with the pinned closure, or undefined when none is known or it is too old. */
  async find(key: string): Promise<string | undefined> {
    const file = this.#file(key);
    try {
      return Date.now() - (await stat(file)).mtimeMs < this.#maximumAgeMs ? file : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes down what is installed in a site-packages directory. */
  async remember(key: string, sitePackages: string): Promise<void> {
    const pins = await pinsOf(sitePackages);
    if (pins === undefined) return;
    const file = this.#file(key);
    await mkdir(dirname(file), { recursive: true });
    const temporary = `${file}.${await draftName()}`;
    await writeFile(temporary, `${pins.join('\n')}\n`);
    await rename(temporary, file);
  }

  /** Removes what is too old to be found. */
  async prune(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const file = join(this.#root, name);
      const written = await stat(file).catch(() => undefined);
      if (written === undefined) continue;
      const isOld = Date.now() - written.mtimeMs >= this.#maximumAgeMs;
      if (isOld || (isDraft(name) && (await isLeftBehind(name, written.mtimeMs)))) await rm(file, { force: true });
    }
  }

  #file(key: string): string {
    return join(this.#root, `${key}.txt`);
  }
}

/** What is installed, as requirements; undefined where no version number stands for it, because it is from a URL or a folder. */
export async function pinsOf(sitePackages: string): Promise<string[] | undefined> {
  const pins: string[] = [];
  for (const name of await readdir(sitePackages)) {
    const match = /^(.+)-([^-]+)\.dist-info$/.exec(name);
    if (match === null) continue;
    const origin = await stat(join(sitePackages, name, 'direct_url.json')).catch(() => undefined);
    if (origin !== undefined) return undefined;
    pins.push(`${match[1]}==${match[2]}`);
  }
  return pins.sort();
}

/** Names, extras, versions and markers: a URL or a path has a colon, a slash or a backslash, or an `@`. */
const PLAIN = /^[A-Za-z0-9][^:/\\@]*$/;

/**
 * Undefined when the lines do more than name distributions: options, URLs and paths are never remembered.
 * @param isPinned the lines are a closure with hashes; it stands for itself, and is known when its files are in the cache
 */
export function resolutionKey(
  requirements: string,
  circumstances: readonly string[],
  isPinned = false,
): string | undefined {
  const lines = requirements
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) return undefined;
  if (!isPinned && lines.some((line) => !PLAIN.test(line) || line.includes(' --') || line.endsWith('\\')))
    return undefined;
  if (isPinned && lines.some((line) => line.includes('@'))) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([lines.sort(), circumstances]))
    .digest('hex')
    .slice(0, 32);
}
