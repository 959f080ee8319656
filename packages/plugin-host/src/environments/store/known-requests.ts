import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '@plugin-daemon/values';
import { removeAbandonedLock } from '../directory-lock.ts';
import { isFingerprint } from '../fingerprint.ts';
import { draftName, removeLeftBehind } from '../lives.ts';

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
    const temporary = `${file}.${await draftName()}`;
    await writeFile(temporary, JSON.stringify({ environment, ...(forMs && { until: Date.now() + forMs }) }));
    await rename(temporary, file);
  }

  /** Forgets what refers to environments that are gone, and old ones; a request that is made again is written again. */
  async prune(isThere: (environment: string) => Promise<boolean>): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const file = join(this.#root, name);
      if (isFingerprint(name.replace(/\.json$/, ''))) {
        const environment = await this.find(name.slice(0, -'.json'.length));
        if (environment === undefined || !(await isThere(environment))) await rm(file, { force: true });
      } else if (name.endsWith('.lock')) await removeAbandonedLock(file);
      // It may be somebody's who is just writing it.
      else await removeLeftBehind(file);
    }
  }

  #file(request: string): string {
    return join(this.#root, `${request}.json`);
  }
}
