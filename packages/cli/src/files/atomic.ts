/**
 * Writing so that nothing half-written is ever seen: beside first, then renamed. Whatever a run leaves beside is
 * removed again on failure; nothing else is ever deleted.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError, systemCode, throwIfAborted } from '../errors.ts';

function beside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
}

export interface WriteOptions {
  /** POSIX mode of the new file; that of the replaced file, or 0644, unless said. */
  mode?: number;
  /** Refuse when the file exists already. */
  exclusive?: boolean;
}

/** Writes a whole file or nothing. A link is followed; a device or a pipe is written to, for nothing may take its place. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const target = resolve(path);
  if (options.exclusive === true && existsSync(target))
    throw new CliError('exists', `${path} exists already`, {
      file: path,
      remedy: 'choose another name or add --force',
    });
  const before = await stat(target).catch(() => undefined);
  if (before !== undefined && !before.isFile() && !before.isDirectory()) {
    await writeFile(target, data).catch((error: unknown) => {
      throw refusedWrite(path, target, error);
    });
    return;
  }
  const place = before === undefined ? target : await realpath(target);
  const temporary = beside(place);
  try {
    const mode = options.mode ?? (before === undefined ? 0o644 : before.mode & 0o777);
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
    } finally {
      await file.close();
    }
    // open() applies the umask; a replaced file keeps its mode exactly.
    if (options.mode !== undefined) await chmod(temporary, options.mode);
    await rename(temporary, place);
  } catch (error) {
    await rm(temporary, { force: true });
    throw refusedWrite(path, target, error);
  }
}

function refusedWrite(path: string, target: string, error: unknown): unknown {
  if (error instanceof CliError) return error;
  const about = { file: path, cause: error };
  const code = systemCode(error);
  switch (code) {
    case 'ENOENT':
      return new CliError('no-directory', `${path}: the folder ${dirname(target)} does not exist`, about);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CliError('unwritable', `${path}: this place cannot be written to (${code})`, {
        ...about,
        remedy: 'choose another output with -o or change the permissions of the folder',
      });
    case 'ENOSPC':
      return new CliError('disk-full', `${path}: no space left on the device`, about);
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new CliError('is-directory', `${path} is a folder`, about);
    default:
      return error;
  }
}

export type Tree = ReadonlyMap<string, string | Uint8Array>;

async function writeTree(root: string, files: Tree, signal: AbortSignal): Promise<void> {
  for (const [path, content] of files) {
    throwIfAborted(signal);
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFileAtomic(target, content);
  }
}

/**
 * Creates a directory with files, all at once: staged in a hidden sibling and renamed into place.
 * @param overwrite write into an existing directory, file by file; other files there stay
 * @param directories empty directories to create as well
 */
export async function createDirectory(
  path: string,
  files: Tree,
  options: { overwrite: boolean; signal: AbortSignal; directories?: readonly string[] },
): Promise<void> {
  const target = resolve(path);
  if (existsSync(target)) {
    const taken = (await stat(target)).isDirectory() ? (await readdir(target)).length > 0 : true;
    if (taken && !options.overwrite) {
      throw new CliError('exists', `${path} exists already and is not empty`, {
        file: path,
        remedy: 'choose another name, or add --force to write into it (other files there stay)',
      });
    }
    for (const directory of options.directories ?? []) await mkdir(join(target, directory), { recursive: true });
    if (taken) {
      await writeTree(target, files, options.signal);
      return;
    }
  }
  const staging = beside(target);
  try {
    await mkdir(staging, { recursive: true });
    for (const directory of options.directories ?? []) await mkdir(join(staging, directory), { recursive: true });
    await writeTree(staging, files, options.signal);
    throwIfAborted(options.signal);
    // An empty directory of that name gives way; rename replaces it nowhere but on POSIX.
    if (existsSync(target)) await rmdir(target);
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}
