import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '@plugin-daemon/values';
import { isFingerprint } from '../fingerprint.ts';

/** Which environment came of what packages asked for. */
export class KnownRequests {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The fingerprint; undefined when none is known, or it may be another one by now. */
  async find(request: string): Promise<string | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#file(request), 'utf8'));
      if (!isObject(value) || typeof value.environment !== 'string' || !isFingerprint(value.environment))
        return undefined;
      if (typeof value.until === 'number' && Date.now() > value.until) return undefined;
      return value.environment;
    } catch {
      return undefined; // not known, or half written
    }
  }

  /** @param forMs how long it holds; for ever, because files are named by their hashes, without */
  async remember(request: string, environment: string, forMs: number | undefined): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    const file = this.#file(request);
    const temporary = `${file}.${process.pid}`;
    await writeFile(temporary, JSON.stringify({ environment, ...(forMs && { until: Date.now() + forMs }) }));
    await rename(temporary, file);
  }

  /** Forgets what refers to environments that are gone, and old ones; a request that is made again is written again. */
  async prune(isThere: (environment: string) => boolean): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const request = name.replace(/\.json$/, '');
      const environment = isFingerprint(request) ? await this.find(request) : undefined;
      if (environment !== undefined && isThere(environment)) continue;
      const file = join(this.#root, name);
      const written = await stat(file).catch(() => undefined);
      // A temporary file may be somebody's who is just writing it.
      if (written !== undefined && Date.now() - written.mtimeMs > 60_000) await rm(file, { force: true });
    }
  }

  #file(request: string): string {
    return join(this.#root, `${request}.json`);
  }
}
