import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginUser } from './users.ts';
import { HOME_IN_VIEW } from './view.ts';

/** Home and temporary files of one process. */
export interface Scratch {
  readonly path: string;
  readonly home: string;
  readonly temporary: string;
  /** Removes it with all that is inside; its process must have ended. */
  remove(): Promise<void>;
}

const PRIVATE = 0o700;
const PASSABLE = 0o711;

/** Directories that last as long as a process. What a former life of the daemon has left is removed at the opening. */
export class ScratchDirectories {
  readonly path: string;

  /** @param path belongs to this class alone */
  constructor(path: string) {
    this.path = path;
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    chmodSync(path, PASSABLE);
  }

  /** @param user whose it is; without one, the daemon's */
  async create(user: PluginUser | undefined): Promise<Scratch> {
    const path = await mkdtemp(join(this.path, 'p-'));
    const home = join(path, 'home');
    const temporary = join(path, 'tmp');
    for (const directory of [home, temporary]) await mkdir(directory, { mode: PRIVATE });
    if (user !== undefined) {
      for (const directory of [home, temporary, path]) await chown(directory, user.uid, user.gid);
    }
    return { path, home, temporary, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Variables that name files of the daemon's own user. */
const OF_THE_DAEMONS_USER = new Set([
  'HOME',
  'USER',
  'LOGNAME',
  'TMPDIR',
  'TEMP',
  'TMP',
  'XDG_CACHE_HOME',
  'XDG_RUNTIME_DIR',
]);

/** The environment of a process that has a home of its own. @param hasView its `/tmp` is its own */
export function ownEnvironment(
  env: Readonly<Record<string, string>>,
  scratch: Scratch,
  hasView: boolean,
): Record<string, string> {
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => !OF_THE_DAEMONS_USER.has(name))),
    HOME: hasView ? HOME_IN_VIEW : scratch.home,
    TMPDIR: hasView ? '/tmp' : scratch.temporary,
    USER: 'plugin',
    LOGNAME: 'plugin',
  };
}

/** Variables whose values are files that plugins are meant to read. */
const SHOWN_BY_VARIABLE = [
  'LD_LIBRARY_PATH',
  'PYTHONPATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'AWS_CA_BUNDLE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'TIKTOKEN_CACHE_DIR',
  'PLAYWRIGHT_BROWSERS_PATH',
  'NLTK_DATA',
  'HF_HOME',
  'MPLCONFIGDIR',
];

export const shownByVariables = (env: Readonly<Record<string, string>>): string[] =>
  SHOWN_BY_VARIABLE.flatMap((name) => env[name]?.split(':') ?? []).filter((path) => path.startsWith('/'));
