import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openPackage } from '@plugin-daemon/plugin-package';

export interface ExtractionTask {
  readonly bytes: Uint8Array;
  /** The working directory. */
  readonly directory: string;
}

/**
 * Unpacks a package into its working directory, synchronously. A directory that has files already, from an attempt that
 * died, or beside an environment that became unusable, gets every file of the package anew and keeps the rest: a plugin
 * may have put data of its own there.
 * @throws PackageError `copy plugin to working directory error: …`
 */
export function extractPackage({ bytes, directory }: ExtractionTask): void {
  const archive = openPackage(bytes);
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
