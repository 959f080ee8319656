/** The daemon's database, for commands that work on it while no daemon runs. */
import { existsSync } from 'node:fs';
import { type LocalDaemon, localDaemon, openLocalDatabase } from '@plugin-daemon/daemon';
import { messageOf } from '@plugin-daemon/values';
import { CliError } from '../errors.ts';

export type DaemonDatabase = Awaited<ReturnType<typeof openLocalDatabase>>;

export interface DatabaseLocation {
  daemon: LocalDaemon;
  exists: boolean;
}

/** Where the settings say the database is. @throws CliError for settings that cannot be read, and for databases that are no file */
export function locateDatabase(env: NodeJS.ProcessEnv, cwd: string): DatabaseLocation {
  const daemon = localDaemon(cwd, env);
  const wrong = daemon.problems.find(({ variable }) => DECIDING.has(variable));
  if (wrong !== undefined)
    throw new CliError('settings', `${wrong.variable} (${wrong.value}) ${wrong.problem}`, { remedy: wrong.remedy });
  if (daemon.databaseType !== 'sqlite')
    throw new CliError(
      'unsupported-database',
      `this command works on a database in a file, and this daemon has one on a server (${daemon.databaseType})`,
      { remedy: 'start the daemon: it brings a database on a server up to date by itself, under a lock' },
    );
  return { daemon, exists: existsSync(daemon.databaseFile) };
}

/** What says where the database is: a mistake elsewhere is for the daemon to report. */
const DECIDING: ReadonlySet<string> = new Set(['.env', 'DATA_DIR', 'DB_TYPE']);

/** Opens and migrates the database, and keeps daemons out meanwhile. @throws CliError when a daemon uses it */
export async function withDatabase<T>(
  { daemon }: DatabaseLocation,
  work: (database: DaemonDatabase) => Promise<T>,
): Promise<T> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 13))
    throw new CliError('old-node', `Node ${process.versions.node} has no database; this command works on one`, {
      remedy: 'run it with Node 22.13 or newer; npm start has its own Node and migrates at start',
    });
  let database: DaemonDatabase;
  try {
    database = await openLocalDatabase(daemon);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'SettingsError') throw error;
    throw new CliError('in-use', messageOf(error), {
      cause: error,
      remedy: 'stop the daemon first; it migrates its database itself when it starts',
    });
  }
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
