/** The daemon's builder of Python environments, set up for one command: no log, no search for a mirror. */
import { join, resolve } from 'node:path';
import { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import { createProcessLauncher, type ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { cacheDirectory } from '../files/cache.ts';
import { toolsDirectory } from './machine-tools.ts';

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
  /** Whether plugins whose dependencies come to the same files have one environment between them. */
  share: boolean;
}

export function environmentBuilder(options: EnvironmentBuilderOptions): PythonEnvironments {
  const { env, interpreter, mirrorUrl, share, ...same } = options;
  return new PythonEnvironments({
    ...same,
    log: { debug() {}, info() {}, warn() {} },
    // What is here is used: an author who wants another Python installs it, or lets uv fetch it.
    environment: { UV_PYTHON_DOWNLOADS: 'never', ...env },
    pythonInterpreterPath: interpreter,
    // A plugin runs as its author, who could write to an environment anyway. What he breaks there a start that fails finds, and mends.
    share,
    readOnlyForPlugins: async () => share,
    compilesItself: async () => true,
    compileAllExtraArgs: '',
    verbose: false,
    // What an author runs on his own machine is his: the limits are the daemon's, for strangers' packages.
    sourceHosts: ['*'],
    cacheDirectory: env.UV_CACHE_DIR ? resolve(env.UV_CACHE_DIR) : undefined,
    mirror: { url: mirrorUrl === '' ? undefined : mirrorUrl, autoDetect: false, candidates: [], timeoutSeconds: 5 },
    proxies: { http: env.HTTP_PROXY, https: env.HTTPS_PROXY, no: env.NO_PROXY },
  });
}

/** Where the kept environments are. */
export const environmentsFolder = (env: NodeJS.ProcessEnv): string => join(cacheDirectory(env), 'environments');

/** What of the kept environments is up to the one who asks. */
export interface KeptOptions {
  env: NodeJS.ProcessEnv;
  /** uv executable; undefined: that of the variable, else found or fetched. */
  uv?: string | undefined;
  /** Path of an interpreter; undefined: found. */
  interpreter?: string | undefined;
}

/** Works with the kept environments, and ends what that has started. */
export async function withKeptEnvironments<T>(
  { env, uv, interpreter = '' }: KeptOptions,
  work: (environments: PythonEnvironments) => Promise<T>,
): Promise<T> {
  const launcher = createProcessLauncher();
  const environments = environmentBuilder({
    workingPath: environmentsFolder(env),
    toolsDirectory: toolsDirectory(env),
    launcher,
    env,
    interpreter,
    uvPath: uv ?? env.UV_PATH,
    inactivitySeconds: 120,
    extraArgs: env.PIP_EXTRA_ARGS ?? '',
    ignoreLock: env.PLUGIN_IGNORE_UV_LOCK === 'true',
    mirrorUrl: env.PIP_MIRROR_URL,
    share: true,
  });
  try {
    return await work(environments);
  } finally {
    await environments.close();
    await launcher.close();
  }
}
