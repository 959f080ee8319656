import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { SettingsError } from './settings-error.ts';

/**
 * Keeps a second daemon out of the directory.
 *
 * The lock is a lock of the operating system, held through an otherwise empty SQLite file: it vanishes with the process
 * however that dies, so nothing stale has to be recognised, and it holds between containers that share a volume, where
 * process ids mean nothing. Nobody else may open `daemon.lock`: closing any descriptor of it would release the lock.
 *
 * @returns releases the lock; idempotent
 * @throws SettingsError naming the process that holds it
 */
export function lockDataDirectory(directory: string, variable = 'DATA_DIR'): () => void {
  const holderFile = join(directory, 'daemon.json');
  const { DatabaseSync } = sqlite();
  const lock = new DatabaseSync(join(directory, 'daemon.lock'), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    throw new SettingsError([refusal(variable, directory, holderFile, error)]);
  }
  try {
    const holder: Holder = { pid: process.pid, started_at: new Date(performance.timeOrigin).toISOString() };
    writeFileSync(holderFile, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
  } catch (error) {
    lock.close();
    throw error;
  }
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    rmSync(holderFile, { force: true });
    lock.close();
  };
}

/** Loaded with the first lock: settings are also read by programs on a Node that has no SQLite. */
function sqlite(): typeof import('node:sqlite') {
  const module = process.getBuiltinModule('node:sqlite');
  if (module === undefined) throw new Error(`Node ${process.versions.node} has no SQLite; 22.13 and newer have`);
  return module;
}

/** Who holds the lock, for the message to the one who does not get it. */
interface Holder {
  readonly pid: number;
  readonly started_at: string;
}

function refusal(variable: string, directory: string, holderFile: string, error: unknown) {
  const text = messageOf(error);
  const taken = /locked|busy/i.test(text);
  return {
    variable,
    value: directory,
    problem: taken ? `is in use by another daemon${readHolder(holderFile)}` : `cannot be locked (${text})`,
    remedy: taken
      ? `stop the other daemon, or give this one its own ${variable}`
      : 'check that daemon.lock in it is a file this user can write to; it may be deleted while no daemon runs',
  };
}

function readHolder(file: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof holder !== 'object' || holder === null) return '';
    const { pid, started_at } = holder as Partial<Holder>;
    return ` (process ${pid}, started ${started_at})`;
  } catch {
    // Only decorates a message that is complete without it.
    return '';
  }
}
