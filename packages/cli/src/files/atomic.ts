/**
 * Writing so that nothing half-written is ever seen: beside first, then renamed. Whatever a run leaves beside is
 * removed again on failure; nothing else is ever deleted.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
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

/** Writes a whole file or nothing. */
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
  const temporary = beside(target);
  try {
    const mode =
      options.mode ??
      (await stat(target).then(
        (info) => info.mode & 0o777,
        () => 0o644,
      ));
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
    } finally {
      await file.close();
    }
    // open() applies the umask; a replaced file keeps its mode exactly.
    if (options.mode !== undefined) await chmod(temporary, options.mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof CliError) throw error;
    const code = systemCode(error);
    if (code === 'ENOENT')
      throw new CliError('no-directory', `${path}: the folder ${dirname(target)} does not exist`, {
        file: path,
        cause: error,
      });
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new CliError('unwritable', `${path}: this place cannot be written to (${code})`, {
        file: path,
        cause: error,
        remedy: 'choose another output with -o or change the permissions of the folder',
      });
    }
    if (code === 'ENOSPC')
      throw new CliError('disk-full', `${path}: no space left on the device`, { file: path, cause: error });
    if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'EEXIST')
      throw new CliError('is-directory', `${path} is a folder`, { file: path, cause: error });
    throw error;
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
