import { accessSync, constants, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { lockDataDirectory } from './data-directory-lock.ts';
import { type DaemonKey, formerKey, provideKey } from './keys.ts';
import { layoutOf } from './layout.ts';
import { SettingsError } from './settings-error.ts';

/** Of the workers of one daemon. */
export interface WorkerNumber {
  /** Counted from 1. */
  readonly index: number;
}

export interface DataDirectoryOptions {
  readonly DATA_DIR: string;
  readonly PLUGIN_WORKING_PATH: string;
  readonly PLUGIN_STORAGE_LOCAL_ROOT: string;
  readonly SERVER_KEY: string | undefined;
  readonly SERVER_KEY_PREVIOUS?: string | undefined;
  readonly DIFY_INNER_API_KEY: string | undefined;
}

/** The directory of all embedded state, held by this process alone until it is closed. */
export interface DataDirectory {
  readonly path: string;
  readonly databaseFile: string;
  /** For executables the daemon fetches for itself. */
  readonly toolsPath: string;
  readonly serverKey: DaemonKey;
  /** Accepted beside `serverKey` while callers change over. */
  readonly formerServerKey: string | undefined;
  readonly difyInnerApiKey: DaemonKey;
  /** Lets the next daemon in. Idempotent; the operating system does it when the process dies. */
  close(): void;
}

/**
 * Creates the directories, takes the lock and provides the keys.
 * @throws SettingsError when a directory cannot be used, or another daemon uses `DATA_DIR`
 */
export function openDataDirectory(options: DataDirectoryOptions): DataDirectory {
  const path = options.DATA_DIR;
  makeUsable('DATA_DIR', path);
  const release = lockDataDirectory(path);
  try {
    for (const variable of ['PLUGIN_WORKING_PATH', 'PLUGIN_STORAGE_LOCAL_ROOT'] as const) {
      makeUsable(variable, options[variable]);
    }
    const { databaseFile, toolsPath, keys, serverKey, difyInnerApiKey } = layoutOf(path);
    makeUsable('DATA_DIR', keys);
    return {
      path,
      databaseFile,
      toolsPath,
      serverKey: provideKey('SERVER_KEY', options.SERVER_KEY, serverKey),
      formerServerKey: formerKey('SERVER_KEY_PREVIOUS', options.SERVER_KEY_PREVIOUS, serverKey),
      difyInnerApiKey: provideKey('DIFY_INNER_API_KEY', options.DIFY_INNER_API_KEY, difyInnerApiKey),
      close: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * What a worker keeps: database, objects, keys and tools are those of the daemon, whose primary process has opened the directory. The first
 * worker keeps what a daemon without workers kept; the others have directories of their own in it.
 * @throws SettingsError when a directory cannot be used, or a worker of an earlier life still lives
 */
export function openWorkerDirectory(options: DataDirectoryOptions, { index }: WorkerNumber): DataDirectory {
  const { databaseFile, toolsPath, serverKey, difyInnerApiKey, workers } = layoutOf(options.DATA_DIR);
  const own = join(workers, String(index));
  makeUsable('DATA_DIR', own);
  const release = lockDataDirectory(own);
  try {
    makeUsable('PLUGIN_WORKING_PATH', options.PLUGIN_WORKING_PATH);
    return {
      path: index === 1 ? options.DATA_DIR : own,
      databaseFile,
      toolsPath,
      serverKey: provideKey('SERVER_KEY', options.SERVER_KEY, serverKey),
      formerServerKey: formerKey('SERVER_KEY_PREVIOUS', options.SERVER_KEY_PREVIOUS, serverKey),
      difyInnerApiKey: provideKey('DIFY_INNER_API_KEY', options.DIFY_INNER_API_KEY, difyInnerApiKey),
      close: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Creates the directory (private to the user when it is new) and proves that entries can be made in it. */
export function makeUsable(variable: string, path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    // access() does not see read-only mounts and quotas everywhere; making an entry does.
    const probe = join(path, `.probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
  } catch (error) {
    throw new SettingsError([
      {
        variable,
        value: path,
        problem: `cannot be used as a directory (${messageOf(error)})`,
        remedy: `make it a directory that this user can write to, or point ${variable} to another place`,
      },
    ]);
  }
}
