import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Where a plugin lives on this node, relative to PLUGIN_WORKING_PATH: `<author>/<name>-<version>@<checksum>`, as
 * upstream names it, so that its environments are taken over (docs/wire/lifecycle.md#environments).
 */
export function workingDirectoryName(identifier: string): string {
  const at = identifier.lastIndexOf('@');
  return `${identifier.slice(0, at).replaceAll(':', '-')}${identifier.slice(at)}`;
}

/** Where the distributions of an environment are. @throws when there is none */
export async function sitePackagesOf(environment: string): Promise<string> {
  if (process.platform === 'win32') return join(environment, 'Lib', 'site-packages');
  const library = join(environment, 'lib');
  const python = (await readdir(library)).find((name) => /^python3\.\d+$/.test(name));
  if (python === undefined) throw new Error(`${library} holds no Python library`);
  return join(library, python, 'site-packages');
}

const SHARED = /(?:^|\/)\.environments\/([0-9a-f]{32})\/lib$/;

/** The fingerprint of the stored environment that a plugin's refers to; undefined when it is one of its own, or there is none. */
export async function storedBehind(environment: string): Promise<string | undefined> {
  const to = await readlink(join(environment, 'lib')).catch(() => undefined);
  return to === undefined ? undefined : SHARED.exec(to)?.[1];
}

/** The paths inside one working directory. */
export class WorkingDirectory {
  readonly path: string;

  constructor(workingPath: string, identifier: string) {
    this.path = join(workingPath, workingDirectoryName(identifier));
  }

  get environment(): string {
    return join(this.path, '.venv');
  }

  get python(): string {
    return process.platform === 'win32'
      ? join(this.environment, 'Scripts', 'python.exe')
      : join(this.environment, 'bin', 'python');
  }

  /** Where the environment's distributions are. @throws when there is no environment */
  sitePackages(): Promise<string> {
    return sitePackagesOf(this.environment);
  }

  /** Written last: an environment with this file is complete. Upstream looks only at its existence. */
  get flag(): string {
    return join(this.environment, 'dify', 'plugin.json');
  }

  get log(): string {
    return join(this.path, '.environment.log');
  }

  /** Beside the directory, because it must be held before the directory exists. */
  get lock(): string {
    return `${this.path}.lock`;
  }

  async hasFiles(): Promise<boolean> {
    try {
      return (await readdir(this.path)).length > 0;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** What the flag file says about a usable environment; undefined when there is none. */
  async state(): Promise<EnvironmentState | undefined> {
    try {
      const [text, stored] = await Promise.all([
        readFile(this.flag, 'utf8'),
        storedBehind(this.environment),
        stat(this.python),
        // A link into the store that leads nowhere any more, after the directory was moved.
        stat(join(this.environment, process.platform === 'win32' ? 'Lib' : 'lib')),
      ]);
      return { ...parseFlag(text), ...(stored !== undefined && { stored }) };
    } catch (error) {
      if (isMissing(error) || isDirectory(error)) return undefined;
      throw error;
    }
  }

  /** What was installed when the environment was made, as a requirements file; undefined when that is not known. */
  async installedBefore(): Promise<string | undefined> {
    return await readFile(this.#distributions, 'utf8').catch(() => undefined);
  }

  async noteInstalled(lines: readonly string[]): Promise<void> {
    await mkdir(dirname(this.flag), { recursive: true });
    await writeFile(this.#distributions, `${lines.join('\n')}\n`);
  }

  get #distributions(): string {
    return join(this.environment, 'dify', 'distributions.txt');
  }

  async markValid(flag: Omit<EnvironmentFlag, 'timestamp'>): Promise<void> {
    const written: EnvironmentFlag = { timestamp: Math.floor(Date.now() / 1000), ...flag };
    await mkdir(dirname(this.flag), { recursive: true });
    const temporary = `${this.flag}.${process.pid}`;
    await writeFile(temporary, JSON.stringify(written));
    await rename(temporary, this.flag);
  }

  async removeEnvironment(): Promise<void> {
    await rm(this.environment, { recursive: true, force: true, maxRetries: 3 });
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }
}

export interface EnvironmentFlag {
  /** Unix seconds. */
  readonly timestamp: number;
  /** Version of the installed SDK, `null` when the plugin has none; absent in environments made by upstream. */
  readonly sdk?: string | null;
  /** Files of the SDK that were replaced. */
  readonly patched?: readonly string[];
  /** `3.12.1` */
  readonly python?: string;
}

/** A usable environment. */
export interface EnvironmentState extends EnvironmentFlag {
  /** The fingerprint of the stored environment that it refers to; absent when it is one of its own. */
  readonly stored?: string;
}

function parseFlag(text: string): EnvironmentFlag {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return { timestamp: 0 };
    const { timestamp, sdk, patched, python } = value as Record<string, unknown>; // a JSON object
    return {
      timestamp: typeof timestamp === 'number' ? timestamp : 0,
      ...(typeof sdk === 'string' || sdk === null ? { sdk } : {}),
      ...(Array.isArray(patched) ? { patched: patched.filter((one) => typeof one === 'string') } : {}),
      ...(typeof python === 'string' ? { python } : {}),
    };
  } catch {
    return { timestamp: 0 }; // its existence is what counts
  }
}

const isDirectory = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EISDIR';

export const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
