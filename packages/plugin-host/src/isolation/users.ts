import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { messageOf } from '@plugin-daemon/values';

/** Numbers of users that plugins may become, both ends included. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
}

export interface PluginUser {
  readonly uid: number;
  readonly gid: number;
}

/** The name of what builds dependencies among the users. It is no identifier of a plugin. */
export const BUILDER = '#build';

export interface PluginUsersOptions {
  /** Where the numbers are kept: files on disk belong to them. */
  readonly file: string;
  readonly range: UserRange;
  /** `/etc/passwd` and `/etc/group` unless given: numbers that are somebody's are not taken. */
  readonly accountFiles?: readonly string[];
}

/**
 * Numbers of users, one for each name, the group's number being the same. Kept over restarts; a number that is set free is taken
 * again only when all others have had their turn.
 */
export class PluginUsers {
  readonly #options: PluginUsersOptions;
  readonly #numbers = new Map<string, number>();
  readonly #taken = new Set<number>();
  #next: number;

  /** @throws when the file is there and cannot be read or is not what it should be: numbers must not be given out twice */
  constructor(options: PluginUsersOptions) {
    this.#options = options;
    const { first, last } = options.range;
    this.#next = first;
    const kept = readKept(options.file);
    for (const [name, number] of Object.entries(kept.users)) {
      if (number < first || number > last || this.#taken.has(number)) continue;
      this.#numbers.set(name, number);
      this.#taken.add(number);
    }
    if (kept.next >= first && kept.next <= last) this.#next = kept.next;
    for (const number of accountNumbers(options.accountFiles ?? ['/etc/passwd', '/etc/group'])) this.#taken.add(number);
  }

  /** The user of a name, given to it now if it has none. @throws Error when the range is used up */
  of(name: string): PluginUser {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#free();
      this.#numbers.set(name, number);
      this.#taken.add(number);
      this.#keep();
    }
    return { uid: number, gid: number };
  }

  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  get names(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  /** Nothing must run as this user any more, and nothing of it be within reach. */
  release(name: string): void {
    const number = this.#numbers.get(name);
    if (number === undefined) return;
    this.#numbers.delete(name);
    this.#taken.delete(number);
    this.#keep();
  }

  #free(): number {
    const { first, last } = this.#options.range;
    for (let tried = first; tried <= last; tried++) {
      const number = this.#next;
      this.#next = number === last ? first : number + 1;
      if (!this.#taken.has(number)) return number;
    }
    throw new Error(
      `no user id is left in ${first}-${last} for another plugin version: widen PLUGIN_UID_RANGE, or uninstall versions that are not used`,
    );
  }

  #keep(): void {
    const temporary = `${this.#options.file}.new`;
    const kept: Kept = { next: this.#next, users: Object.fromEntries(this.#numbers) };
    writeFileSync(temporary, `${JSON.stringify(kept, undefined, 1)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, this.#options.file);
  }
}

interface Kept {
  readonly next: number;
  readonly users: Readonly<Record<string, number>>;
}

function readKept(file: string): Kept {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { next: 0, users: {} };
    throw error;
  }
  try {
    const value: Partial<Kept> = JSON.parse(text);
    const numbers = Object.values(value.users ?? { none: Number.NaN });
    if (typeof value.next !== 'number' || value.users === undefined || !numbers.every(Number.isInteger))
      throw new Error('it lacks the fields it should have');
    return { next: value.next, users: value.users };
  } catch (error) {
    throw new Error(
      `${file} says which user each plugin runs as, and cannot be read (${messageOf(error)}); restore it, or delete it and the directory of environments beside it`,
    );
  }
}

function accountNumbers(files: readonly string[]): number[] {
  return files.flatMap((file) => {
    try {
      return readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line) => (line.trim() === '' ? [] : [Number(line.split(':')[2])]))
        .filter(Number.isInteger);
    } catch {
      return []; // a system without accounts has none to collide with
    }
  });
}
