import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/**
 * Loads the library of a store, which images that have no use for it may leave out.
 * @throws DaemonError that says how to add it
 */
export async function storeLibrary<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new DaemonError('internal', `the library for this object store, ${name}, is not installed`, {
      cause: error,
      remedy: `install it beside the daemon with "npm install ${name}"`,
    });
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');
