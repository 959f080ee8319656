import { readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ProcessLauncher } from '../launcher/index.ts';
import { untilAborted } from './abortable.ts';
import { runCommand } from './command.ts';

export interface PythonInterpreter {
  readonly path: string;
  /** Major, minor, patch. */
  readonly version: readonly [number, number, number];
}

export interface DiscoveryOptions {
  readonly launcher: ProcessLauncher;
  /** PYTHON_INTERPRETER_PATH */
  readonly configured: string;
  /** Where `PATH`, `HOME`, `PYENV_ROOT` and `UV_PYTHON_INSTALL_DIR` are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where interpreters that uv has fetched for us lie. */
  readonly fetchedInto: string;
  /** Interpreters are asked on behalf of everybody: a question ends with the daemon, not with who asked first. */
  readonly lifetime: AbortSignal;
}

export const DEFAULT_VERSION = '3.12';
/** In this order when the wanted one is missing: newer before older, because plugins ask for "at least". */
export const MINORS: readonly number[] = [12, 13, 14, 11];
const QUERY = 'import sys; print("%d.%d.%d" % sys.version_info[:3])';

/**
 * Finds Python interpreters by asking them. uv's own search gives up at the first command on PATH that does not run,
 * which the shims of version managers do for versions that are installed but not switched on; ours goes on and looks
 * where those managers keep their interpreters.
 */
export class PythonDiscovery {
  readonly #options: DiscoveryOptions;
  /** Answers by path. An interpreter that was replaced keeps its minor version, which is all that is decided by. */
  readonly #asked = new Map<string, Promise<PythonInterpreter | undefined>>();

  readonly #found = new Map<string, PythonInterpreter>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /** The first interpreter of this minor version (`3.12`), or undefined. */
  async find(minor: string, signal: AbortSignal): Promise<PythonInterpreter | undefined> {
    const known = this.#found.get(minor);
    if (known !== undefined && (await isFile(known.path))) return known;
    for (const path of await this.#candidates(minor)) {
      const found = await untilAborted(this.#ask(path), signal);
      if (found !== undefined && `${found.version[0]}.${found.version[1]}` === minor) {
        this.#found.set(minor, found);
        return found;
      }
    }
    return undefined;
  }

  /** Any interpreter from 3.11 on, the most useful first. `accepts` narrows, given `[3, minor]`. */
  async findAny(
    signal: AbortSignal,
    accepts: (minor: number) => boolean = () => true,
  ): Promise<PythonInterpreter | undefined> {
    for (const minor of MINORS.filter(accepts)) {
      const found = await this.find(`3.${minor}`, signal);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Of an interpreter that may have been exchanged. */
  async askAgain(path: string): Promise<PythonInterpreter | undefined> {
    this.#asked.delete(path);
    for (const [minor, found] of this.#found) if (found.path === path) this.#found.delete(minor);
    return await this.#ask(path);
  }

  async #candidates(minor: string): Promise<string[]> {
    const { configured, environment, fetchedInto } = this.#options;
    const path = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
    const home = environment.HOME ?? environment.USERPROFILE;
    const executable = process.platform === 'win32' ? 'python.exe' : `python${minor}`;
    const versionFolders = [environment.PYENV_ROOT ?? (home && join(home, '.pyenv'))].flatMap((root) =>
      root ? [join(root, 'versions')] : [],
    );
    const managed = [
      fetchedInto,
      environment.UV_PYTHON_INSTALL_DIR,
      home && join(home, '.local', 'share', 'uv', 'python'),
    ];
    const inFolders = async (folder: string, starts: string) =>
      (await list(folder))
        .filter((name) => name.startsWith(starts))
        .sort()
        .reverse()
        .map((name) =>
          process.platform === 'win32' ? join(folder, name, executable) : join(folder, name, 'bin', executable),
        );
    const all = [
      configured,
      ...path.map((folder) => join(folder, executable)),
      ...path.map((folder) => join(folder, process.platform === 'win32' ? 'python3.exe' : 'python3')),
      ...['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'].map((folder) => join(folder, executable)),
      ...(await Promise.all(managed.map((root) => (root ? inFolders(root, `cpython-${minor}.`) : [])))).flat(),
      ...(await Promise.all(versionFolders.map((root) => inFolders(root, `${minor}.`)))).flat(),
    ];
    return [...new Set(all)];
  }

  #ask(path: string): Promise<PythonInterpreter | undefined> {
    const known = this.#asked.get(path);
    if (known !== undefined) return known;
    const answer = this.#query(path);
    this.#asked.set(path, answer);
    // Only what was found is remembered: an interpreter may be installed while the daemon runs.
    const forget = () => this.#asked.delete(path);
    answer.then((found) => found ?? forget(), forget);
    return answer;
  }

  async #query(path: string): Promise<PythonInterpreter | undefined> {
    if (!(await isFile(path))) return undefined;
    try {
      const { PATH = '', SYSTEMROOT } = this.#options.environment;
      const result = await runCommand(this.#options.launcher, {
        command: path,
        args: ['-I', '-S', '-c', QUERY],
        cwd: process.platform === 'win32' ? process.cwd() : '/',
        env: { PATH, ...(SYSTEMROOT === undefined ? {} : { SYSTEMROOT }) },
        timeoutSeconds: 20,
        signal: this.#options.lifetime,
      });
      const match = /^(\d+)\.(\d+)\.(\d+)\s*$/.exec(result.stdout);
      if (!result.ok || match === null) return undefined;
      return { path, version: [Number(match[1]), Number(match[2]), Number(match[3])] };
    } catch {
      return undefined; // not something that can be executed here
    }
  }
}

/**
 * The minor version a plugin should get: the one of `meta.runner.version` when it is one we can serve (3.11 and later),
 * else the default.
 */
export function wantedVersion(runnerVersion: string | undefined): string {
  const match = /^3\.(\d{1,3})(?!\d)/.exec(runnerVersion ?? '');
  return match !== null && Number(match[1]) >= 11 ? `3.${match[1]}` : DEFAULT_VERSION;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return []; // most of the places do not exist on most machines
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
