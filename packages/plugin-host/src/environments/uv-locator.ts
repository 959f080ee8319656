import { access, constants, readdir, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import type { ProcessLauncher } from '../launcher/index.ts';
import { untilAborted } from './abortable.ts';
import { runCommand } from './command.ts';
import { EnvironmentError } from './failures.ts';
import { interpreterEnvironment } from './installer-environment.ts';

const EXECUTABLE = process.platform === 'win32' ? 'uv.exe' : 'uv';

export interface UvLocatorOptions {
  readonly launcher: ProcessLauncher;
  /** UV_PATH */
  readonly configured: string | undefined;
  /** Interpreters of this machine, whose packages may hold uv; asked only when it is nowhere else. */
  readonly pythons: (signal: AbortSignal) => Promise<readonly string[]>;
  readonly toolsDirectory: string;
  /** The search is shared by all who wait for it: it ends with the daemon, not with one of them. */
  readonly lifetime: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Fetches uv into the tools directory and returns its path. */
  readonly fetch: (signal: AbortSignal) => Promise<string>;
}

/** Where uv is: UV_PATH, PATH, what was fetched before, the packages of the interpreters, else fetched now, once. */
export class UvLocator {
  readonly #options: UvLocatorOptions;
  #found: Promise<string> | undefined;

  constructor(options: UvLocatorOptions) {
    this.#options = options;
  }

  /** @throws EnvironmentError `failed to find uv path: …` */
  async locate(signal: AbortSignal): Promise<string> {
    if (this.#found === undefined) {
      const search = this.#search(this.#options.lifetime);
      this.#found = search;
      search.catch(() => {
        this.#found = undefined; // the next one tries again
      });
    }
    return untilAborted(this.#found, signal);
  }

  /** The same without fetching. @returns undefined when uv is not on this machine @throws EnvironmentError when UV_PATH is wrong */
  async find(signal: AbortSignal): Promise<string | undefined> {
    const { configured, environment, toolsDirectory } = this.#options;
    if (configured) {
      if (await isExecutable(configured)) return configured;
      throw new EnvironmentError(
        'uv-missing',
        `failed to find uv path: UV_PATH names ${configured}, which is not an executable file`,
      );
    }
    for (const folder of (environment.PATH ?? '').split(delimiter)) {
      if (folder !== '' && (await isExecutable(join(folder, EXECUTABLE)))) {
        const found = join(folder, EXECUTABLE);
        if (await this.#answers(found, signal)) return found; // the shim of a version manager may stand there without a uv behind it
      }
    }
    return (await fetchedUv(toolsDirectory)) ?? (await this.#askInterpreters(signal));
  }

  async #search(signal: AbortSignal): Promise<string> {
    const found = await this.find(signal);
    if (found !== undefined) return found;
    try {
      return await this.#options.fetch(signal);
    } catch (error) {
      signal.throwIfAborted();
      const reason = messageOf(error);
      throw new EnvironmentError('uv-missing', `failed to find uv path: ${reason}`, { cause: error });
    }
  }

  async #answers(uv: string, signal: AbortSignal): Promise<boolean> {
    const result = await this.#run(uv, ['--version'], signal);
    return result !== undefined && /^uv \d/.test(result);
  }

  async #askInterpreters(signal: AbortSignal): Promise<string | undefined> {
    const script = 'from uv._find_uv import find_uv_bin; print(find_uv_bin())';
    for (const python of await this.#options.pythons(signal)) {
      const path = (await this.#run(python, ['-c', script], signal))?.trim();
      if (path !== undefined && (await isExecutable(path))) return path;
    }
    return undefined;
  }

  async #run(command: string, args: string[], signal: AbortSignal): Promise<string | undefined> {
    try {
      const env = interpreterEnvironment(this.#options.environment);
      const spec = { command, args, cwd: process.cwd(), env, signal, timeoutSeconds: 30 };
      const result = await runCommand(this.#options.launcher, spec);
      return result.ok ? result.stdout : undefined;
    } catch {
      signal.throwIfAborted();
      return undefined; // cannot be executed: look elsewhere
    }
  }
}

/** The newest uv that was fetched before: `uv-<version>/uv`. */
async function fetchedUv(toolsDirectory: string): Promise<string | undefined> {
  const names = await readdir(toolsDirectory).catch(() => []);
  const versions = names.filter((name) => /^uv-\d+(\.\d+)*$/.test(name));
  versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (const name of versions.reverse()) {
    const path = join(toolsDirectory, name, EXECUTABLE);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile(); // folders are "executable" too
  } catch {
    return false;
  }
}
