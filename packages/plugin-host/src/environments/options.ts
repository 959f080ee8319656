import type { LaunchSpec, ProcessLauncher } from '../launcher/index.ts';
import type { Log } from '../log/index.ts';
import type { Proxies } from './installer-environment.ts';
import type { MirrorOptions } from './mirror.ts';

export type EnvironmentLog = Pick<Log, 'debug' | 'info' | 'warn'>;

/** What runs code of strangers during an installation, and what it may read and write. */
export interface BuildCageRequest {
  readonly spec: LaunchSpec;
  /** The working directory of the plugin. */
  readonly directory: string;
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  readonly pythons: readonly string[];
}

export type BuildCage = (request: BuildCageRequest) => Promise<{ readonly spec: LaunchSpec; leave(): Promise<void> }>;

export interface PythonEnvironmentsOptions {
  /** PLUGIN_WORKING_PATH, absolute. */
  readonly workingPath: string;
  /** Where uv and interpreters go that had to be fetched; absolute. */
  readonly toolsDirectory: string;
  readonly launcher: ProcessLauncher;
  readonly log: EnvironmentLog;
  /** The daemon's environment (`process.env`), of which tools get only the parts named in installer-environment.ts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** PYTHON_INTERPRETER_PATH */
  readonly pythonInterpreterPath: string;
  /** UV_PATH */
  readonly uvPath?: string | undefined;
  /** PYTHON_ENV_INIT_TIMEOUT: an installer that is silent for this long is ended; seconds. */
  readonly inactivitySeconds: number;
  /** Limit of one installation; seconds, 600 unless given. */
  readonly timeoutSeconds?: number;
  /** UV_CACHE_DIR, absolute; `.uv-cache` in the working path unless given. */
  readonly cacheDirectory?: string | undefined;
  /** PLUGIN_SOURCE_HOSTS: hosts that packages may have asked beside the operator's index. */
  readonly sourceHosts?: readonly string[];
  /**
   * PLUGIN_SOURCE_BUILDS: whether dependencies without a wheel may be built, which runs code of theirs. `auto`, the default: unless
   * uv has credentials that this code could read.
   */
  readonly sourceBuilds?: 'auto' | 'allow' | 'refuse';
  /**
   * Plugins run under user ids of their own, for which the files of environments are read-only: these may then be one file in
   * all environments. Otherwise every environment gets its own copies.
   */
  readonly readOnlyForPlugins?: () => Promise<boolean>;
  /**
   * PLUGIN_SHARED_ENVIRONMENTS: environments with the same content are one, which plugins refer to. Only as long as they are read-only
   * for plugins.
   */
  readonly share?: boolean;
  /** Plugins can write bytecode of their own files where they lie: those of a further version need not be compiled before its start. */
  readonly compilesItself?: () => Promise<boolean>;
  /** Told what came of each environment that was made or found. */
  readonly onPrepared?: (outcome: EnvironmentOutcome) => void;
  /** Holds in what builds dependencies; without it builds run as the daemon does. */
  readonly buildCage?: BuildCage;
  /** PYTHON_COMPILE_ALL_EXTRA_ARGS */
  readonly compileAllExtraArgs: string;
  /** PIP_EXTRA_ARGS */
  readonly extraArgs: string;
  /** PIP_VERBOSE */
  readonly verbose: boolean;
  /** PLUGIN_IGNORE_UV_LOCK */
  readonly ignoreLock: boolean;
  readonly mirror: MirrorOptions;
  readonly proxies: Proxies;
  /** How long after an environment was made the bytecode is compiled for the next ones; ms, 20 000 unless given. */
  readonly harvestAfterMs?: number;
}

/**
 * `known`: shared, and found without asking the installer anything; `same`: made, and then found to be there already; `new`: made and
 * shared from now on; `repaired`: made in the place of a damaged one; `own`: made for this plugin alone.
 */
export type EnvironmentOutcome = 'known' | 'same' | 'new' | 'repaired' | 'own';

export interface PrepareRequest {
  /** The plugin unique identifier. */
  readonly identifier: string;
  /** Asked only when something has to be unpacked. */
  readonly readPackage: () => Promise<Uint8Array>;
  /** What its files must add up to; unpacked as it is without. */
  readonly checksum?: string;
  /** `meta.runner` of the manifest. */
  readonly runner?: { readonly language: string; readonly version?: string | undefined; readonly entrypoint?: string };
  readonly signal: AbortSignal;
  /** Gets the real step, one short line each time it changes. */
  readonly onProgress: (text: string) => void;
}

export interface PreparedEnvironment {
  /** The working directory, absolute. */
  readonly directory: string;
  /** The interpreter of the environment, absolute. */
  readonly python: string;
  /** The environment that it refers to, absolute: a cage has to show it. Absent when it is one of its own. */
  readonly shared?: string;
  /** False when the environment was there already. */
  readonly fresh: boolean;
}
