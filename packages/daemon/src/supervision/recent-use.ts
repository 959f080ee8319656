import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';

/** More than a node has plugins; what was used longest ago is forgotten. */
const MAX_ENTRIES = 10_000;

/** When each plugin version was used last, over restarts: what was in use before is wanted again first. One file of this node alone. */
export class RecentUse {
  readonly #file: string;
  readonly #log: Log;
  /** Milliseconds since 1970, the newest last. */
  readonly #times: Map<string, number>;
  #changed = false;
  #writing: Promise<void> = Promise.resolve();

  /** What cannot be read counts as never used. */
  static async open(file: string, log: Log): Promise<RecentUse> {
    try {
      return new RecentUse(file, log, entriesOf(await readFile(file, 'utf8')));
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!missing) log.warn({ error, file }, 'the list of plugins used recently could not be read');
      return new RecentUse(file, log, []);
    }
  }

  private constructor(file: string, log: Log, entries: readonly (readonly [string, number])[]) {
    this.#file = file;
    this.#log = log;
    this.#times = new Map(entries.toSorted(([, a], [, b]) => a - b));
  }

  /** Whether no plugin has run here before, as far as is known. */
  get isEmpty(): boolean {
    return this.#times.size === 0;
  }

  /** Milliseconds since 1970; undefined if it is not known. */
  lastUse(identifier: string): number | undefined {
    return this.#times.get(identifier);
  }

  used(identifier: string, at: number): void {
    this.#times.delete(identifier);
    this.#times.set(identifier, at);
    if (this.#times.size > MAX_ENTRIES) for (const oldest of this.#times.keys()) return this.forget(oldest);
    this.#changed = true;
  }

  forget(identifier: string): void {
    if (this.#times.delete(identifier)) this.#changed = true;
  }

  /** Writes what has changed. Never fails: at worst plugins are started in another order. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    if (!this.#changed) return;
    this.#changed = false;
    const fresh = `${this.#file}.new`;
    try {
      await writeFile(fresh, JSON.stringify(Object.fromEntries(this.#times)));
      await rename(fresh, this.#file);
    } catch (error) {
      this.#log.warn({ reason: messageOf(error) }, 'the list of plugins used recently could not be written');
      await rm(fresh, { force: true }).catch(() => undefined);
    }
  }
}

function entriesOf(text: string): readonly (readonly [string, number])[] {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null) return [];
  return Object.entries(parsed)
    .filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]))
    .slice(-MAX_ENTRIES);
}
