import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openPackage, openStoredPackage } from '@plugin-daemon/plugin-package';

export interface ExtractionTask {
  readonly bytes: Uint8Array;
  /** What its files must add up to, where that is known. */
  readonly checksum?: string | undefined;
  /** The working directory. */
  readonly directory: string;
}

/**
 * Unpacks a package into its working directory, synchronously. A directory that has files already, from an attempt that
 * died, or beside an environment that became unusable, gets every file of the package anew and keeps the rest: a plugin
 * may have put data of its own there.
 * @throws PackageError `the stored package is damaged: …`, `copy plugin to working directory error: …`
 */
export function extractPackage({ bytes, checksum, directory }: ExtractionTask): void {
  const archive = checksum === undefined ? openPackage(bytes) : openStoredPackage(bytes, checksum);
  if (!existsSync(directory) || readdirSync(directory).length === 0) {
    archive.extractTo(directory);
    return;
  }
  const fresh = `${directory}.unpacked`;
  try {
    archive.extractTo(fresh);
    for (const name of readdirSync(fresh)) moveOver(join(fresh, name), join(directory, name));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** One rename where nothing stands in the way; else file by file. */
function moveOver(from: string, to: string): void {
  if (!existsSync(to)) renameSync(from, to);
  else cpSync(from, to, { recursive: true, force: true });
}
