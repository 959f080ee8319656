/** The daemon's database, for commands that work on it while no daemon runs. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { openDatabase } from '@plugin-daemon/daemon/database';
import { CliError } from '../errors.ts';
import { readEnvFile } from '../files/env-file.ts';

export type DaemonDatabase = Awaited<ReturnType<typeof openDatabase>>;

export interface DatabaseLocation {
  directory: string;
  file: string;
  exists: boolean;
  /** Settings say where it is to be; otherwise the place is only the usual one. */
  named: boolean;
}

/** Where the settings say the database is; only the database settings are read. @throws CliError for unsupported types */
export async function locateDatabase(env: NodeJS.ProcessEnv, cwd: string): Promise<DatabaseLocation> {
  const file = await readEnvFile(join(cwd, '.env'));
  const value = (name: string): string => env[name] || file[name] || '';
  const type = value('DB_TYPE') || 'sqlite';
  if (type !== 'sqlite')
    throw new CliError('unsupported-database', `this command works on a database in a file, and DB_TYPE is ${type}`, {
      remedy: 'start the daemon: it brings a database on a server up to date by itself, under a lock',
    });
  const directory = resolve(cwd, value('DATA_DIR') || 'data');
  const path = join(directory, 'daemon.sqlite');
  const named = value('DATA_DIR') !== '' || value('DB_TYPE') !== '' || value('SERVER_KEY') !== '';
  return { directory, file: path, exists: existsSync(path), named };
}

/** The parts that need the database of Node, which older ones do not have: loaded for the commands that work on it, and for no other. */
async function databaseParts() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 13))
    throw new CliError('old-node', `Node ${process.versions.node} has no database; this command works on one`, {
      remedy: 'run it with Node 22.13 or newer; npm start has its own Node and migrates at start',
    });
  const [{ lockDataDirectory }, { openDatabase }] = await Promise.all([
    import('@plugin-daemon/daemon/data-directory-lock'),
    import('@plugin-daemon/daemon/database'),
  ]);
  return { lockDataDirectory, openDatabase };
}

/** Opens and migrates the database, and keeps daemons out meanwhile. @throws CliError when a daemon uses it */
export async function withDatabase<T>(
  location: DatabaseLocation,
  work: (database: DaemonDatabase) => Promise<T>,
): Promise<T> {
  const { lockDataDirectory, openDatabase } = await databaseParts();
  await mkdir(location.directory, { recursive: true, mode: 0o700 });
  let release: () => void;
  try {
    release = lockDataDirectory(location.directory);
  } catch (error) {
    throw new CliError('in-use', error instanceof Error ? error.message : String(error), {
      cause: error,
      remedy: 'stop the daemon first; it migrates its database itself when it starts',
    });
  }
  try {
    const database = await openDatabase({ type: 'sqlite', file: location.file });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  } finally {
    release();
  }
}
