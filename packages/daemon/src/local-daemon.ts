import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  addressHere,
  type Environment,
  layoutOf,
  lockDataDirectory,
  readAddressFile,
  readSettings,
  type SettingProblem,
} from './config/index.ts';
import type { Database } from './database/index.ts';

/** A daemon of this machine, as its settings and the files of its data directory describe it; it may run or not. */
export interface LocalDaemon {
  readonly dataDirectory: string;
  /** There is something of a daemon in the data directory, and directory and `.env` are this user's. */
  readonly present: boolean;
  /** `DB_TYPE`; only `sqlite` is a file. */
  readonly databaseType: string;
  readonly databaseFile: string;
  /** Settings say where its data are; otherwise it is only the usual place. */
  readonly named: boolean;
  /** Where it is reached: what a running one wrote down, else the settings if they name a port. Undefined unless it is present. */
  readonly url: string | undefined;
  /** Where plugins under debugging connect, `host:port`. Undefined unless it is present. */
  readonly debugging: string | undefined;
  /** Configured or generated. Undefined unless it is present: somebody else's files would say where this user's key is sent. */
  readonly serverKey: string | undefined;
  /** What is wrong with its settings; they count as not set. */
  readonly problems: readonly SettingProblem[];
}

/** The daemon that would run in a folder, with the `.env` there. Starts nothing, makes nothing, and throws at nothing that it finds. */
export function localDaemon(folder: string, env: Environment): LocalDaemon {
  const { settings, problems } = readSettings(env, { cwd: folder });
  const { DATA_DIR, DB_TYPE, SERVER_HOST, SERVER_PORT, configured } = settings;
  const { PLUGIN_REMOTE_INSTALLING_HOST, PLUGIN_REMOTE_INSTALLING_PORT } = settings;
  const layout = layoutOf(DATA_DIR);
  const about = {
    dataDirectory: DATA_DIR,
    databaseType: DB_TYPE,
    databaseFile: layout.databaseFile,
    named: (['DATA_DIR', 'DB_TYPE', 'DB_HOST', 'SERVER_KEY'] as const).some((name) => configured.has(name)),
    problems,
  };
  const nothing = { ...about, present: false, url: undefined, debugging: undefined, serverKey: undefined };
  if (!isTrusted(DATA_DIR) || !isTrusted(join(folder, '.env'), 'or absent')) return nothing;
  const written = readAddressFile(DATA_DIR);
  const serverKey = settings.SERVER_KEY ?? keyIn(layout.serverKey);
  if (written === undefined && serverKey === undefined) return nothing;
  return {
    ...about,
    present: true,
    url:
      written?.url ?? (configured.has('SERVER_PORT') ? `http://${addressHere(SERVER_HOST, SERVER_PORT)}` : undefined),
    debugging: written?.debugging ?? addressHere(PLUGIN_REMOTE_INSTALLING_HOST, PLUGIN_REMOTE_INSTALLING_PORT),
    serverKey,
  };
}

/** Whose word counts: this user's, and the administrator's for a file of settings. */
function isTrusted(path: string, absent?: 'or absent'): boolean {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return absent !== undefined;
  if (process.getuid === undefined || info.uid === process.getuid()) return true;
  return absent !== undefined && info.uid === 0;
}

function keyIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    // None was generated, or it is not for this user: there is then no key.
    return undefined;
  }
}

/**
 * Opens the database of a daemon that does not run, brought up to date, and keeps daemons out until `close`. Makes what is missing.
 * @throws SettingsError when a daemon uses it
 */
export async function openLocalDatabase({ dataDirectory, databaseFile }: LocalDaemon): Promise<Database> {
  const { openDatabase } = await import('./database/index.ts');
  if (!existsSync(dataDirectory)) mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const release = lockDataDirectory(dataDirectory);
  try {
    const database = await openDatabase({ type: 'sqlite', file: databaseFile });
    const close = async (): Promise<void> => {
      try {
        await database.close();
      } finally {
        release();
      }
    };
    return { ...database, close };
  } catch (error) {
    release();
    throw error;
  }
}
