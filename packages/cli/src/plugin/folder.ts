/**
 * A plugin's folder seen through its ignore rules. Owns the walk; reads nothing outside the folder: links that lead out
 * of it are refused, links inside are packed by content.
 */
import { readFileSync, type Stats } from 'node:fs';
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { CliError, systemCode, throwIfAborted } from '../errors.ts';
import { compileRule, DEFAULT_EXCLUDES, type IgnoreRule, ignoredBy, parseIgnoreFile } from './ignore.ts';

export interface FolderFile {
  /** Path below the folder, with forward slashes. */
  path: string;
  /** Where to read it. */
  source: string;
  size: number;
}

export interface LeftOut {
  path: string;
  directory: boolean;
  reason: string;
}

export interface FolderOptions {
  /** False: only the ignore file decides. */
  defaultExcludes?: boolean;
  /** Absolute paths never packed, such as the output itself. */
  never?: readonly string[];
  signal: AbortSignal;
}

export interface Folder {
  root: string;
  /** In byte order of their paths. */
  files: FolderFile[];
  leftOut: LeftOut[];
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function readIgnoreRules(root: string): Promise<IgnoreRule[]> {
  for (const name of ['.difyignore', '.gitignore']) {
    try {
      return parseIgnoreFile(await readFile(join(root, name), 'utf8'), name);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EACCES')
        throw new CliError('unreadable', `${name}: permission denied`, { file: name, cause: error });
      if (code !== 'ENOENT' && code !== 'EISDIR') throw error;
    }
  }
  return [];
}

/** Checks that a path is a folder; the errors of section 7.1 otherwise. */
export async function requireFolder(path: string): Promise<void> {
  let info: Stats;
  try {
    info = await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT')
      throw new CliError('not-found', `${path}: no such file or directory`, { file: path, cause: error });
    throw error;
  }
  if (!info.isDirectory())
    throw new CliError('not-a-directory', `${path}: not a directory`, {
      file: path,
      remedy: 'name the folder of the plugin, the one with manifest.yaml',
    });
}

/** Lists what belongs into the package of a folder, and what stays out and why. */
export async function readFolder(path: string, options: FolderOptions): Promise<Folder> {
  await requireFolder(path);
  const root = await realpath(path);
  const defaults =
    options.defaultExcludes === false ? [] : DEFAULT_EXCLUDES.map((pattern) => compileRule(pattern, 'default'));
  // The user's own rules come last, so that `!.env` brings back what the defaults leave out.
  const rules = [...defaults, ...(await readIgnoreRules(root))];
  const folder: Folder = { root, files: [], leftOut: [] };
  const never = new Set(options.never ?? []);

  const visit = async (directory: string, parents: readonly string[]): Promise<void> => {
    throwIfAborted(options.signal);
    const entries = await readdir(directory, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => compareBytes(a.name, b.name))) {
      const names = [...parents, entry.name];
      const relative = names.join('/');
      const source = join(directory, entry.name);
      const rule = ignoredBy(rules, names, entry.isDirectory());
      if (rule !== undefined) {
        folder.leftOut.push({
          path: relative,
          directory: entry.isDirectory(),
          reason: rule.from === 'default' ? `always left out (${rule.pattern})` : `${rule.from}: ${rule.pattern}`,
        });
        continue;
      }
      if (never.has(source)) {
        folder.leftOut.push({ path: relative, directory: false, reason: 'the output of this command' });
        continue;
      }
      if (entry.isDirectory()) await visit(source, names);
      else if (entry.isSymbolicLink()) await visitLink(source, relative, names.length === 1);
      else if (entry.isFile()) folder.files.push({ path: relative, source, size: (await lstat(source)).size });
      else folder.leftOut.push({ path: relative, directory: false, reason: 'neither a file nor a folder' });
    }
  };

  const visitLink = async (source: string, relative: string, top: boolean): Promise<void> => {
    const target = await realpath(source).catch(() => undefined);
    if (target === undefined) {
      folder.leftOut.push({ path: relative, directory: false, reason: 'a link that leads nowhere' });
      return;
    }
    const info = await stat(target);
    // The ignore file is part of the command's own input: a link to a shared one is followed.
    const shared = top && (basename(source) === '.difyignore' || basename(source) === '.gitignore');
    if (target !== root && !target.startsWith(root + sep) && !shared) {
      folder.leftOut.push({
        path: relative,
        directory: info.isDirectory(),
        reason: 'a link that leads out of the plugin',
      });
      return;
    }
    if (info.isFile()) folder.files.push({ path: relative, source: target, size: info.size });
    else folder.leftOut.push({ path: relative, directory: true, reason: 'a link to a folder' });
  };

  await visit(root, []);
  folder.files.sort((a, b) => compareBytes(a.path, b.path));
  return folder;
}

/** Reads one file of a folder. @throws CliError that names it */
export function readFolderFile(file: FolderFile): Buffer {
  try {
    return readFileSync(file.source);
  } catch (error) {
    const code = systemCode(error);
    const what =
      code === 'EACCES' || code === 'EPERM'
        ? 'permission denied'
        : code === 'ENOENT'
          ? 'it disappeared while packing'
          : String(error);
    throw new CliError('unreadable', `${file.path}: cannot be read: ${what}`, {
      file: file.path,
      cause: error,
      remedy: 'fix its permissions, or leave it out with .difyignore',
    });
  }
}

/** What links and special files cost: shown as warnings, because a person put them there on purpose. */
export function suspiciousLeftOut(folder: Folder): LeftOut[] {
  return folder.leftOut.filter((entry) => entry.reason.startsWith('a link') || entry.reason.startsWith('neither'));
}
