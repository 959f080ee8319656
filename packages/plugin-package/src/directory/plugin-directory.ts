import { hash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { checksumOf } from '../archive/index.ts';
import { ASSETS_FOLDER } from '../assets.ts';
import { type Assembled, assembleDeclaration } from '../declaration/index.ts';
import { PackageError } from '../errors.ts';
import { type IgnoreRule, parseIgnoreFile } from './ignore.ts';

/** Never part of a plugin, whatever the ignore file says. */
const NEVER_PACKED = new Set(['.git', '.venv', '__pycache__']);

/** The first that exists is read. */
const IGNORE_FILES = ['.difyignore', '.gitignore'];

/** The files of a plugin that is still a directory, seen through its ignore rules. Reads are at the moment of asking. */
export interface PluginDirectory {
  readonly root: string;
  /** package paths that are not ignored, directory by directory */
  readonly names: readonly string[];
  /** directories that were left out although no pattern names them, such as `.git` */
  readonly alwaysIgnored: readonly string[];
  /** any file below the root, ignored or not. @throws PackageError */
  read(name: string): Uint8Array;
  exists(name: string): boolean;
  /** files below `_assets/`, ignored ones included, keyed by the path below it */
  assets(): ReadonlyMap<string, Uint8Array>;
  /** the checksum its package will have, unless requirements.txt is generated */
  checksum(): string;
  assemble(): Assembled;
}

/** @throws PackageError `not a directory`, or when a link leads out of the directory */
export function openDirectory(root: string): PluginDirectory {
  if (!statOf(root)?.isDirectory()) throw new PackageError('not a directory', { file: root });
  return new OpenedDirectory(root);
}

class OpenedDirectory implements PluginDirectory {
  readonly root: string;
  readonly names: readonly string[];
  readonly alwaysIgnored: readonly string[];
  readonly #realRoot: string;

  constructor(root: string) {
    this.root = root;
    this.#realRoot = realpathSync(root);
    const names: string[] = [];
    const alwaysIgnored: string[] = [];
    const ignored = this.#ignoreRule();
    walk(root, [], (path, entry) => {
      const isDirectory = entry.isDirectory();
      if (ignored(path, isDirectory)) return false;
      if (isDirectory && NEVER_PACKED.has(entry.name)) {
        alwaysIgnored.push(`${path.join('/')}/`);
        return false;
      }
      if (!isDirectory) names.push(path.join('/'));
      return isDirectory;
    });
    this.names = names;
    this.alwaysIgnored = alwaysIgnored;
  }

  read(name: string): Uint8Array {
    const path = join(this.root, name);
    let real: string;
    try {
      real = realpathSync(path);
    } catch (cause) {
      throw unreadable(name, cause);
    }
    const inside = real === this.#realRoot || real.startsWith(this.#realRoot + sep);
    // plugins of one repository share their ignore file by links; anything else from outside does not belong to a plugin
    if (!inside && !IGNORE_FILES.includes(name)) {
      throw new PackageError(`open ${name}: leads out of the plugin's directory`, { file: name });
    }
    try {
      return readFileSync(real);
    } catch (cause) {
      throw unreadable(name, cause);
    }
  }

  exists(name: string): boolean {
    return statOf(join(this.root, name)) !== undefined;
  }

  assets(): ReadonlyMap<string, Uint8Array> {
    const folder = join(this.root, '_assets');
    if (statOf(folder) === undefined) {
      throw new PackageError(`lstat ${folder}: no such file or directory\nfailed to get assets`);
    }
    const assets = new Map<string, Uint8Array>();
    walk(folder, [], (path, entry) => {
      if (!entry.isDirectory()) assets.set(path.join('/'), this.read(ASSETS_FOLDER + path.join('/')));
      return entry.isDirectory();
    });
    return assets;
  }

  checksum(): string {
    return checksumOf(this.names.map((name) => [name, hash('sha256', this.read(name), 'buffer')]));
  }

  assemble(): Assembled {
    return assembleDeclaration(this);
  }

  #ignoreRule(): IgnoreRule {
    for (const name of IGNORE_FILES) {
      if (this.exists(name)) return parseIgnoreFile(Buffer.from(this.read(name)).toString('utf8'));
    }
    return () => false;
  }
}

/** Depth first, names of a directory in byte order; `visit` says whether to enter a directory. */
function walk(
  directory: string,
  parents: readonly string[],
  visit: (path: readonly string[], entry: Dirent) => boolean,
): void {
  const entries = readdirSync(directory, { withFileTypes: true });
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const entry of entries) {
    const path = [...parents, entry.name];
    if (visit(path, entry)) walk(join(directory, entry.name), path, visit);
  }
}

function statOf(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EISDIR', 'is a directory'],
  ['EACCES', 'permission denied'],
]);

function unreadable(name: string, cause: unknown): PackageError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const verb = code === 'EISDIR' ? 'read' : 'open';
  return new PackageError(`${verb} ${name}: ${REASONS.get(code) ?? code}`, { cause, file: name });
}
