import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/** Names of packages and of installed plugins have both: `name:0.0.1@checksum`. */
const PROBE = 'probe:0.0.1@name';

export const namesRemedy =
  'Object names contain ":", which SMB shares, exFAT and NTFS refuse. Put PLUGIN_STORAGE_LOCAL_ROOT (and what is mounted below it) on a file system of Linux: ext4, xfs, btrfs, NFS, a Docker volume; an SMB mount of Linux takes such names with the option "mapposix"';

/**
 * Makes sure at start that files can have the names of objects, rather than at the first upload.
 * @param directory an existing one, whose content is nobody's
 * @throws DaemonError with the remedy
 */
export async function assertNames(directory: string, root: string, name = PROBE): Promise<void> {
  const path = join(directory, name);
  let cause: unknown;
  try {
    await writeFile(path, '');
    // NTFS takes what follows the colon for a stream of another file, and some shares write other characters.
    if ((await readdir(directory)).includes(name)) return;
  } catch (error) {
    cause = error;
  } finally {
    await rm(path, { force: true }).catch((error: unknown) => {
      cause ??= error;
    });
  }
  const what = cause instanceof Error ? cause.message : 'it keeps them under other names';
  throw new DaemonError('internal', `the file system of ${root} does not take the names of objects (${what})`, {
    cause,
    remedy: namesRemedy,
  });
}

/** Whether a write may have failed for the name alone: a mount below the root was not probed. */
export const mayBeName = (code: string | undefined, key: string): boolean => code === 'EINVAL' && key.includes(':');
