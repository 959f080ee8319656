/** The daemon's builder of Python environments, set up for one command: no log, no search for a mirror. */
import { resolve } from 'node:path';
import { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import type { ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';

export interface EnvironmentBuilderOptions {
  /** Folder that gets the environments. */
  workingPath: string;
  /** Folder that gets uv, should it have to be fetched. */
  toolsDirectory: string;
  launcher: ProcessLauncher;
  env: NodeJS.ProcessEnv;
  /** Path of an interpreter; empty: found. */
  interpreter: string;
  /** uv executable; undefined: found or fetched. */
  uvPath: string | undefined;
  /** Seconds of silence after which a step has failed. */
  inactivitySeconds: number;
  /** Further arguments of `uv pip install`, space separated. */
  extraArgs: string;
  ignoreLock: boolean;
  /** Package index; empty: the standard one. */
  mirrorUrl: string | undefined;
}

export function environmentBuilder(options: EnvironmentBuilderOptions): PythonEnvironments {
  const { env, interpreter, mirrorUrl, ...same } = options;
  return new PythonEnvironments({
    ...same,
    log: { debug() {}, info() {}, warn() {} },
    // What is here is used: an author who wants another Python installs it, or lets uv fetch it.
    environment: { UV_PYTHON_DOWNLOADS: 'never', ...env },
    pythonInterpreterPath: interpreter,
    compileAllExtraArgs: '',
    verbose: false,
    // What an author runs on his own machine is his: the limits are the daemon's, for strangers' packages.
    sourceHosts: ['*'],
    cacheDirectory: env.UV_CACHE_DIR ? resolve(env.UV_CACHE_DIR) : undefined,
    mirror: { url: mirrorUrl === '' ? undefined : mirrorUrl, autoDetect: false, candidates: [], timeoutSeconds: 5 },
    proxies: { http: env.HTTP_PROXY, https: env.HTTPS_PROXY, no: env.NO_PROXY },
  });
}
