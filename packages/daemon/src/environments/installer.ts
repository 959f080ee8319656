import { join } from 'node:path';
import { type CommandResult, runCommand } from './command.ts';
import { installerEnvironment } from './installer-environment.ts';
import type { PythonEnvironmentsOptions } from './options.ts';
import { fetchUv } from './uv-fetch/index.ts';
import { UvLocator } from './uv-locator.ts';

export interface UvCall {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The environment to work on. */
  readonly environment?: string;
  /** The interpreter that must be used; keeps `.python-version` files and uv's own search out. */
  readonly python?: string;
  readonly timeoutSeconds: number;
  readonly inactivitySeconds?: number;
  readonly variables?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

/** uv: finding it and running it in its closed environment. */
export class Installer {
  readonly #options: PythonEnvironmentsOptions;
  readonly #locator: UvLocator;
  readonly #lifetime: AbortSignal;

  constructor(options: PythonEnvironmentsOptions, lifetime: AbortSignal) {
    this.#options = options;
    this.#lifetime = lifetime;
    this.#locator = new UvLocator({
      launcher: options.launcher,
      configured: options.uvPath,
      interpreter: options.pythonInterpreterPath,
      toolsDirectory: options.toolsDirectory,
      environment: options.environment,
      lifetime,
      fetch: (signal) => fetchUv(options, signal),
    });
  }

  /** @throws EnvironmentError `failed to find uv path: …` */
  locate(signal: AbortSignal): Promise<string> {
    return this.#locator.locate(signal);
  }

  async uv(call: UvCall): Promise<CommandResult> {
    const options = this.#options;
    const env = installerEnvironment(options.environment, {
      proxies: options.proxies,
      cacheDirectory: join(options.workingPath, '.uv-cache'),
      ...(call.environment === undefined ? {} : { environment: call.environment }),
      ...(call.python === undefined ? {} : { python: call.python }),
    });
    return runCommand(options.launcher, {
      command: await this.locate(call.signal),
      args: call.args,
      cwd: call.cwd,
      env: { ...env, ...call.variables },
      signal: call.signal,
      timeoutSeconds: call.timeoutSeconds,
      ...(call.inactivitySeconds === undefined ? {} : { inactivitySeconds: call.inactivitySeconds }),
      ...(call.onLine === undefined ? {} : { onLine: call.onLine }),
    });
  }

  /** The index uv uses when it is told nothing else, as uv itself says; undefined when it does not. */
  async publicIndex(): Promise<string | undefined> {
    const result = await this.uv({
      args: ['pip', 'compile', '-', '--emit-index-url', '--offline', '--quiet', '--no-config', '--system'],
      cwd: this.#options.workingPath,
      signal: this.#lifetime,
      timeoutSeconds: 30,
    });
    const url = /^--index-url (\S+)/m.exec(result.stdout)?.[1];
    return url === undefined ? undefined : `${url.replace(/\/$/, '')}/`;
  }
}
