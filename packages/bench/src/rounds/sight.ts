/** What of a daemon is seen from outside while it works: files, processes, rows, and what it logs. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DaemonProcess } from '../daemon/index.ts';
import { processesOf } from './counts.ts';

export class Sight implements Disposable {
  readonly #data: string;
  readonly #log: string;
  #read: number;
  #logged = '';
  #database: DatabaseSync | undefined;

  /** Sees what is logged from now on. */
  constructor({ dataDirectory, logFile }: DaemonProcess) {
    this.#data = dataDirectory;
    this.#log = logFile;
    this.#read = sizeOf(logFile);
  }

  /** Names in a folder of the data directory. */
  entries(folder: string): readonly string[] {
    try {
      return readdirSync(join(this.#data, folder));
    } catch {
      return []; // not there yet, or not any more
    }
  }

  /** Whether a folder of this name holds anything, wherever below a folder of the data directory it is. */
  isFilled(below: string, name: string): boolean {
    const folders = [below, ...this.entries(below).map((inner) => join(below, inner))];
    return folders.some((folder) =>
      this.entries(join(folder, name)).some((life) => this.entries(join(folder, name, life)).length > 0),
    );
  }

  /** What its processes were started with. */
  commands(): readonly string[] {
    return processesOf(this.#data);
  }

  /** Whether a line of the log says all of this. */
  said(...words: readonly string[]): boolean {
    this.#readOn();
    return this.#logged.split('\n').some((line) => words.every((word) => line.includes(word)));
  }

  isInstalled(pluginId: string): boolean {
    const file = join(this.#data, 'daemon.sqlite');
    if (!existsSync(file)) return false;
    this.#database ??= new DatabaseSync(file, { readOnly: true });
    return this.#database.prepare('SELECT 1 FROM plugin_installations WHERE plugin_id = ?').get(pluginId) !== undefined;
  }

  [Symbol.dispose](): void {
    this.#database?.close();
  }

  #readOn(): void {
    const size = sizeOf(this.#log);
    if (size <= this.#read) return;
    const file = openSync(this.#log, 'r');
    try {
      const bytes = Buffer.alloc(size - this.#read);
      this.#logged += bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, this.#read));
      this.#read = size;
    } finally {
      closeSync(file);
    }
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
