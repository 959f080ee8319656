import { join } from 'node:path';
import type { PythonEnvironmentsOptions } from './options.ts';
import { PythonDiscovery, type PythonInterpreter } from './python-discovery.ts';
import { fetchUv } from './uv-fetch/index.ts';
import { isExecutable, UvLocator } from './uv-locator.ts';

export type MachineToolsOptions = Pick<
  PythonEnvironmentsOptions,
  'environment' | 'launcher' | 'log' | 'proxies' | 'pythonInterpreterPath' | 'toolsDirectory' | 'uvPath'
>;

/** Minor versions in the order in which they are tried. */
const MINORS = [12, 13, 14, 11];

/** What of uv and Python is on this machine: one way to find them, for the daemon and for the command line alike. */
export class MachineTools {
  readonly #options: MachineToolsOptions;
  readonly #discovery: PythonDiscovery;
  readonly #uv: UvLocator;

  /** @param lifetime ends searches that are shared by all who wait for them */
  constructor(options: MachineToolsOptions, lifetime: AbortSignal) {
    this.#options = options;
    this.#discovery = new PythonDiscovery({
      launcher: options.launcher,
      configured: options.pythonInterpreterPath,
      environment: options.environment,
      fetchedInto: join(options.toolsDirectory, 'python'),
      lifetime,
    });
    const pythons = (signal: AbortSignal) => this.#executables(signal);
    this.#uv = new UvLocator({
      launcher: options.launcher,
      configured: options.uvPath,
      pythons,
      toolsDirectory: options.toolsDirectory,
      environment: options.environment,
      lifetime,
      fetch: async (signal) => fetchUv({ ...options, pythons: await pythons(signal) }, signal),
    });
  }

  /** uv, fetched when it is not on this machine. @throws EnvironmentError `failed to find uv path: …` */
  uv(signal: AbortSignal): Promise<string> {
    return this.#uv.locate(signal);
  }

  /** uv if it is on this machine. @throws EnvironmentError when UV_PATH names none */
  findUv(signal: AbortSignal): Promise<string | undefined> {
    return this.#uv.find(signal);
  }

  /** Interpreters from 3.11 on, one of each minor version, 3.12 first, then newer before older. */
  async pythons(signal: AbortSignal): Promise<readonly PythonInterpreter[]> {
    const found: PythonInterpreter[] = [];
    for (const minor of MINORS) {
      const interpreter = await this.#discovery.find(`3.${minor}`, signal);
      if (interpreter !== undefined) found.push(interpreter);
    }
    return found;
  }

  /** The configured one of whatever version first: pip and the package of uv work on older ones too. */
  async #executables(signal: AbortSignal): Promise<readonly string[]> {
    const { pythonInterpreterPath: configured } = this.#options;
    const first = configured !== '' && (await isExecutable(configured)) ? [configured] : [];
    return [...new Set([...first, ...(await this.pythons(signal)).map(({ path }) => path)])];
  }
}
