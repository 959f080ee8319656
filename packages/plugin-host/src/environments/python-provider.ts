import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { untilAborted } from './abortable.ts';
import { allows, readRange } from './dependencies/index.ts';
import { EnvironmentError } from './failures.ts';
import type { Installer } from './installer.ts';
import type { PythonEnvironmentsOptions } from './options.ts';
import { DEFAULT_VERSION, PythonDiscovery, type PythonInterpreter, wantedVersion } from './python-discovery.ts';

/** A fetch that failed is not tried again for this long: without a network each try costs seconds. */
const RETRY_AFTER_MS = 10 * 60_000;

export interface PythonWish {
  /** `meta.runner.version` of the manifest: tried first, though what the dependencies need decides. */
  readonly runnerVersion: string | undefined;
  /** `requires-python` of everything that has one. */
  readonly ranges: readonly string[];
  /** Minor versions that the resolver has found wrong. */
  readonly tried: readonly number[];
}

interface ChooseCall {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Chooses the interpreter for an environment: the manifest's version when it is here, else 3.12, fetched by uv when it is
 * not here, else the best other one from 3.11 on.
 */
export class PythonProvider {
  readonly #options: PythonEnvironmentsOptions;
  readonly #installer: Installer;
  readonly #discovery: PythonDiscovery;
  readonly #lifetime: AbortSignal;
  readonly #fetchedInto: string;
  #fetch: Promise<PythonInterpreter | undefined> | undefined;

  constructor(options: PythonEnvironmentsOptions, installer: Installer, lifetime: AbortSignal) {
    this.#options = options;
    this.#installer = installer;
    this.#lifetime = lifetime;
    this.#fetchedInto = join(options.toolsDirectory, 'python');
    this.#discovery = new PythonDiscovery({
      launcher: options.launcher,
      configured: options.pythonInterpreterPath,
      environment: options.environment,
      fetchedInto: this.#fetchedInto,
      lifetime,
    });
  }

  /**
   * The interpreter to try first, or next when some have been tried already.
   * @throws EnvironmentError `wrong-python` when no Python from 3.11 on is left that the plugin's ranges let in
   */
  async choose(wish: PythonWish, call: ChooseCall): Promise<PythonInterpreter> {
    const found = await this.#find(wish, call);
    if (found !== undefined) return found;
    const any = await this.#discovery.findAny(call.signal);
    const there =
      any === undefined ? 'there is none from 3.11 on' : `there is only ${any.version.join('.')} (${any.path})`;
    throw new EnvironmentError(
      'wrong-python',
      `failed to create virtual environment: the plugin asks for Python ${wish.ranges.join(' and ') || DEFAULT_VERSION}, and ${there}`,
    );
  }

  /** Like choose, but undefined when no other one is left. */
  async another(wish: PythonWish, call: ChooseCall): Promise<PythonInterpreter | undefined> {
    return await this.#find(wish, call);
  }

  /** `3.12.1`, asked of the interpreter at a path now; undefined when there is none. */
  async versionOf(path: string): Promise<string | undefined> {
    return (await this.#discovery.askAgain(path))?.version.join('.');
  }

  async #find(wish: PythonWish, call: ChooseCall): Promise<PythonInterpreter | undefined> {
    const ranges = wish.ranges.map(readRange);
    const accepts = (minor: number) => !wish.tried.includes(minor) && ranges.every((range) => allows(range, minor));
    const wanted = [...new Set([wantedVersion(wish.runnerVersion), DEFAULT_VERSION])].filter((version) =>
      accepts(Number(version.slice(2))),
    );
    for (const version of wanted) {
      const interpreter = await this.#discovery.find(version, call.signal);
      if (interpreter !== undefined) return interpreter;
    }
    if (wanted.includes(DEFAULT_VERSION) && this.#options.environment.UV_PYTHON_DOWNLOADS !== 'never') {
      call.onProgress(`fetching Python ${DEFAULT_VERSION}`);
      const interpreter = await untilAborted(this.#fetchDefault(), call.signal);
      if (interpreter !== undefined) return interpreter;
    }
    return await this.#discovery.findAny(call.signal, accepts);
  }

  #fetchDefault(): Promise<PythonInterpreter | undefined> {
    this.#fetch ??= this.#fetchNow().then((found) => {
      if (found === undefined) {
        setTimeout(() => {
          this.#fetch = undefined;
        }, RETRY_AFTER_MS).unref();
      }
      return found;
    });
    return this.#fetch;
  }

  /** Never rejects: there may be another interpreter that does. */
  async #fetchNow(): Promise<PythonInterpreter | undefined> {
    const { log } = this.#options;
    try {
      await mkdir(this.#fetchedInto, { recursive: true });
      const result = await this.#installer.uv({
        args: ['python', 'install', DEFAULT_VERSION],
        cwd: this.#fetchedInto,
        signal: this.#lifetime,
        timeoutSeconds: 300,
        inactivitySeconds: 60,
        variables: {
          UV_PYTHON_DOWNLOADS: 'manual',
          UV_PYTHON_INSTALL_DIR: this.#fetchedInto,
          UV_PYTHON_INSTALL_BIN: '0',
          UV_HTTP_RETRIES: '0',
        },
      });
      if (result.ok) return await this.#discovery.find(DEFAULT_VERSION, this.#lifetime);
      log.warn(
        { status: result.status, output: result.stderr.trim().slice(-600) },
        `Python ${DEFAULT_VERSION} is not on this machine and could not be fetched; plugins get another version if there is one`,
      );
    } catch (error) {
      log.warn({ err: error }, `Python ${DEFAULT_VERSION} is not on this machine and could not be fetched`);
    }
    return undefined;
  }
}
