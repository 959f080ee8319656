import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ProcessLauncher } from '../launcher/index.ts';
import { HOME_IN_VIEW, type Scratch } from './own-files.ts';
import type { PluginUser } from './users.ts';

const PRIVATE = 0o700;
const PASSABLE = 0o711;
const ROOT = 'root:x:0:0::/root:/usr/sbin/nologin\n';
/** What a plugin has locked against its owner, or nested deeper than a path can be long, is for the system's own tools. */
const REMOVE_ALL = 'chmod -R u+rwX -- "$1" 2>/dev/null; exec rm -rf -- "$1"';

/** Directories that last as long as a process, below one that lasts as long as the daemon. */
export class ScratchDirectories {
  /** Belongs to this class alone. */
  readonly path: string;
  readonly #life: string;
  readonly #launcher: ProcessLauncher;
  /** What former lives have left, until it is removed. */
  readonly #swept: Promise<void>;

  constructor(path: string, launcher: ProcessLauncher) {
    this.path = path;
    this.#launcher = launcher;
    mkdirSync(path, { recursive: true });
    this.#life = mkdtempSync(join(path, 'life-'));
    this.#openToPass();
    this.#swept = this.#sweep();
  }

  /** @param user whose it is; without one, the daemon's */
  async create(user: PluginUser | undefined): Promise<Scratch> {
    const path = await this.#directory();
    const home = join(path, 'home');
    const temporary = join(path, 'tmp');
    const accounts = { passwd: join(path, 'passwd'), group: join(path, 'group') };
    const { uid, gid } = user ?? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    await Promise.all([
      mkdir(home, { mode: PRIVATE }),
      mkdir(temporary, { mode: PRIVATE }),
      writeFile(accounts.passwd, `${ROOT}plugin:x:${uid}:${gid}::${HOME_IN_VIEW}:/usr/sbin/nologin\n`),
      writeFile(accounts.group, `root:x:0:\nplugin:x:${gid}:\n`),
    ]);
    if (user !== undefined) await Promise.all([home, temporary, path].map((each) => chown(each, uid, gid)));
    return { home, temporary, accounts, remove: () => this.#remove(path) };
  }

  async close(): Promise<void> {
    await this.#swept;
    // What cannot be removed without the launcher, which has gone by now, the next life removes.
    await rm(this.path, { recursive: true, force: true }).catch(() => undefined);
  }

  async #directory(): Promise<string> {
    const prefix = join(this.#life, 'p-');
    try {
      return await mkdtemp(prefix);
    } catch {
      // Whoever tidies up a machine may have removed it; without that, this fails again with the reason.
      await mkdir(this.#life, { recursive: true });
      this.#openToPass();
      return await mkdtemp(prefix);
    }
  }

  #openToPass(): void {
    for (const directory of [this.path, this.#life]) chmodSync(directory, PASSABLE);
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.path).catch(() => [])) {
      // What cannot be removed now is tried again by the next life.
      if (name !== basename(this.#life)) await this.#remove(join(this.path, name)).catch(() => undefined);
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true });
    } catch {
      const tool = await this.#launcher.launch({
        command: '/bin/sh',
        args: ['-c', REMOVE_ALL, 'sh', path],
        cwd: '/',
        env: { PATH: '/usr/bin:/bin' },
      });
      tool.stdout.resume();
      tool.stderr.resume();
      const { code } = await tool.exited;
      if (code !== 0) throw new Error(`${path} could not be removed (rm: exit code ${code})`);
    }
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
