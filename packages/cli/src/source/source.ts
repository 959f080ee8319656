/** A plugin to look at, wherever it is: a folder seen through its ignore rules, or a package file. */

import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import {
  missingFile,
  openPackage,
  type PackageArchive,
  PackageError,
  type PluginDeclaration,
  type Problem,
} from '@plugin-daemon/plugin-package';
import { assembleDeclaration, checksumOf } from '@plugin-daemon/plugin-package/schema';
import { messageOf } from '@plugin-daemon/values';
import { CliError, systemCode } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { type Folder, type FolderFile, readFolder, readFolderFile } from './folder.ts';

export interface PluginFiles {
  /** In the order in which model files are found. */
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws PackageError `open x: file does not exist`, CliError for unreadable files */
  read(name: string): Uint8Array;
}

export interface PluginSource {
  kind: 'folder' | 'package';
  /** As the user wrote it. */
  path: string;
  files: PluginFiles;
  /** Of folders. */
  folder?: Folder;
  /** Of packages. */
  archive?: PackageArchive;
  bytes?: Uint8Array;
}

/** A package's error as one of the command line, with the file it is about. */
export function packageError(error: unknown, path: string): CliError {
  if (!(error instanceof PackageError)) {
    if (error instanceof CliError) return error;
    return new CliError('failed', messageOf(error), { cause: error });
  }
  const place =
    error.file === undefined
      ? {}
      : { file: error.file, ...(error.line === undefined || error.line === 0 ? {} : { line: error.line }) };
  const { detail } = error;
  const remedy =
    detail?.tag === 'missing-file' && detail.name === 'manifest.yaml'
      ? `${path} is not a plugin: name the folder that holds manifest.yaml`
      : 'dify plugin validate shows every problem at once';
  return new CliError('invalid-plugin', error.message, { cause: error, remedy, ...place });
}

class FolderFiles implements PluginFiles {
  readonly names: readonly string[];
  readonly #byName: ReadonlyMap<string, FolderFile>;
  readonly #cache = new Map<string, Buffer>();

  constructor(folder: Folder) {
    // A directory is walked folder by folder: `a-b/x` after `a/x`, unlike byte order of whole paths.
    const parts = new Map(folder.files.map((file) => [file.path, file.path.split('/')] as const));
    this.names = [...parts.keys()].sort((a, b) => compareParts(parts.get(a) ?? [], parts.get(b) ?? []));
    this.#byName = new Map(folder.files.map((file) => [file.path, file]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  read(name: string): Buffer {
    const known = this.#cache.get(name);
    if (known !== undefined) return known;
    const file = this.#byName.get(name);
    if (file === undefined) throw missingFile(name);
    const bytes = readFolderFile(file);
    // YAML files are read several times, large assets once.
    if (bytes.length < 1_000_000) this.#cache.set(name, bytes);
    return bytes;
  }
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = Buffer.compare(Buffer.from(a[index] ?? ''), Buffer.from(b[index] ?? ''));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** @throws CliError for a folder without manifest.yaml; it says where a plugin is, if there is one near */
export async function requirePlugin(path: string): Promise<void> {
  const here = resolve(path);
  if (await exists(join(here, 'manifest.yaml'))) return;
  const shown = path === '.' || path === '' ? 'this folder' : path;
  throw new CliError('invalid-plugin', `${shown} is not a plugin: open manifest.yaml: file does not exist`, {
    file: join(path, 'manifest.yaml'),
    remedy: await whereOne(here),
  });
}

async function whereOne(here: string): Promise<string> {
  for (let above = dirname(here); ; above = dirname(above)) {
    if (await exists(join(above, 'manifest.yaml')))
      return `a plugin is above this folder: ${relative(process.cwd(), above)}`;
    if (above === dirname(above)) break;
  }
  const below: string[] = [];
  const entries = await readdir(here, { withFileTypes: true }).catch(() => []);
  for (const entry of entries.slice(0, LOOK_AT_MOST)) {
    if (entry.isDirectory() && (await exists(join(here, entry.name, 'manifest.yaml')))) below.push(entry.name);
    if (below.length === 5) break;
  }
  return below.length === 0
    ? 'name the folder that holds manifest.yaml, or make a plugin with dify plugin init'
    : `name the folder of a plugin: ${below.map((name) => join(relative(process.cwd(), here), name)).join(', ')}`;
}

/** Entries of a folder that are looked into for a hint. */
const LOOK_AT_MOST = 200;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

export async function readPackageFile(path: string): Promise<Buffer> {
  try {
    return await readNamedFile(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT')
      throw new CliError('not-found', `${path}: no such file or directory`, { file: path, cause: error });
    if (code === 'EACCES') throw new CliError('unreadable', `${path}: permission denied`, { file: path, cause: error });
    throw error;
  }
}

/** Opens a folder or a package; nothing is decoded yet. */
export async function openSource(path: string, signal: AbortSignal): Promise<PluginSource> {
  const info = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT')
      throw new CliError('not-found', `${path === '' ? 'an empty path' : path}: no such file or directory`, {
        file: path,
        cause: error,
      });
    throw error;
  });
  if (info.isDirectory()) {
    // Before the walk: the folder somebody stands in by mistake may be a home folder or a disk.
    await requirePlugin(path);
    const folder = await readFolder(path, { signal });
    return { kind: 'folder', path, folder, files: new FolderFiles(folder) };
  }
  const bytes = await readPackageFile(path);
  try {
    const archive = openPackage(bytes);
    return { kind: 'package', path, archive, bytes, files: archive };
  } catch (error) {
    throw packageError(error, path);
  }
}

/** Manifest and everything it names, merged. @throws CliError `invalid-plugin` with file and line */
export function declarationOf(source: PluginSource): { declaration: PluginDeclaration; warnings: readonly Problem[] } {
  try {
    return assembleDeclaration(source.files);
  } catch (error) {
    throw packageError(error, source.path);
  }
}

/** The checksum (docs/wire/packages.md#checksum) over the files that are, or would be, in the package. */
export function checksumOfSource(source: PluginSource): string {
  if (source.archive !== undefined) {
    try {
      return source.archive.checksum();
    } catch (error) {
      throw packageError(error, source.path);
    }
  }
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  return checksumOf((source.folder?.files ?? []).map((file) => [file.path, sha256(readFolderFile(file))] as const));
}

export function identifierOf(declaration: PluginDeclaration, checksum: string): string {
  const author = declaration.author === '' ? '' : `${declaration.author}/`;
  return `${author}${declaration.name}:${declaration.version}@${checksum}`;
}

/** Last element of a path as a file name, `undefined` for `.`, `..` and roots after resolving nothing. */
export function lastElement(path: string): string | undefined {
  const name = basename(path.replace(/(?<![\\/])[\\/]+$/, ''));
  return name === '' || name === '.' || name === '..' ? undefined : name;
}

/** The name for output files of a folder: its last element, or for `.` and `..` the plugin's own name. */
export function outputBase(path: string, pluginName: string): string {
  return lastElement(path) ?? (pluginName === '' ? basename(resolve(path)) : pluginName);
}
