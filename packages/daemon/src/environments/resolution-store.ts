import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Remembers for a day what a requirements file came to, so that installing the next version of a plugin, or another
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
    const pins: string[] = [];
    for (const name of await readdir(sitePackages)) {
      const match = /^(.+)-([^-]+)\.dist-info$/.exec(name);
      if (match === null) continue;
      const origin = await readFile(join(sitePackages, name, 'direct_url.json'), 'utf8').catch(() => undefined);
      if (origin !== undefined) return; // from a URL or a folder: no version number stands for that
      pins.push(`${match[1]}==${match[2]}`);
    }
    const file = this.#file(key);
    await mkdir(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    await writeFile(temporary, `${pins.sort().join('\n')}\n`);
    await rename(temporary, file);
  }

  #file(key: string): string {
    return join(this.#root, `${key}.txt`);
  }
}

const withoutComments = (requirements: string): string[] =>
  requirements
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');

/** Only comments: plugins that need nothing but Python have such a file, because there has to be one. */
export const requiresNothing = (requirements: string): boolean => withoutComments(requirements).length === 0;

/** Undefined when the text does more than name distributions: options, URLs and paths are never remembered. */
export function resolutionKey(requirements: string, circumstances: readonly string[]): string | undefined {
  const lines = withoutComments(requirements);
  if (
    lines.length === 0 ||
    lines.some((line) => !/^[A-Za-z0-9][\w.-]*\s*(?:\[[\w\s,.-]*\])?\s*(?:[(<>=!~;].*)?$/.test(line))
  )
    return undefined;
  if (lines.some((line) => line.includes(' --') || line.endsWith('\\'))) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([lines.sort(), circumstances]))
    .digest('hex')
    .slice(0, 32);
}
