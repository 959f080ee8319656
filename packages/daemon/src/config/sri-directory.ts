import { join } from 'node:path';
import { makeUsable } from './data-directory.ts';
import { lockDataDirectory } from './data-directory-lock.ts';
import { type DaemonKey, formerKey, provideKey } from './keys.ts';

/** The directory of a server of the serverless runtime interface, held by this process alone until it is closed. */
export interface SriDirectory {
  readonly path: string;
  /** Unpacked plugins and their environments. */
  readonly workingPath: string;
  readonly storagePath: string;
  readonly toolsPath: string;
  readonly key: DaemonKey;
  readonly formerKey: string | undefined;
  /** Lets the next one in. Idempotent. */
  close(): void;
}

/**
 * Creates the directories, takes the lock and provides the key.
 * @throws SettingsError when the directory cannot be used, or another process uses it
 */
export function openSriDirectory(settings: {
  readonly SRI_DATA_DIR: string;
  readonly SRI_API_KEY: string | undefined;
  readonly SRI_API_KEY_PREVIOUS: string | undefined;
}): SriDirectory {
  const path = settings.SRI_DATA_DIR;
  makeUsable('SRI_DATA_DIR', path);
  const release = lockDataDirectory(path, 'SRI_DATA_DIR');
  try {
    const keys = join(path, 'keys');
    const workingPath = join(path, 'cwd');
    const storagePath = join(path, 'storage');
    for (const directory of [keys, workingPath, storagePath]) makeUsable('SRI_DATA_DIR', directory);
    const file = join(keys, 'sri-api-key');
    return {
      path,
      workingPath,
      storagePath,
      toolsPath: join(path, 'tools'),
      key: provideKey('SRI_API_KEY', settings.SRI_API_KEY, file),
      formerKey: formerKey('SRI_API_KEY_PREVIOUS', settings.SRI_API_KEY_PREVIOUS, file),
      close: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}
