/**
 * A plugin's folder seen through its ignore rules. Owns the walk; reads nothing outside the folder: links that lead out
 * of it are refused, links inside are packed by content.
 */

import { type Dirent, readFileSync, type Stats } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { CliError, systemCode, throwIfAborted } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';
import { compileRule, DEFAULT_EXCLUDES, type IgnoreRule, ignoredBy, parseIgnoreFile } from './ignore.ts';
import { holdsPrivateKey, SECRET_EXCLUDES } from './secrets.ts';

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
  /** It may hold credentials or a key. */
  secret?: true;
}

export interface FolderOptions {
  /** False: only the ignore file decides. */
  defaultExcludes?: boolean;
  /** Patterns of what is packed in any case. */
  include?: readonly string[];
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
      return parseIgnoreFile(ignoreText(await readNamedFile(join(root, name)), name), name);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EACCES')
        throw new CliError('unreadable', `${name}: permission denied`, { file: name, cause: error });
      if (code !== 'ENOENT' && code !== 'EISDIR') throw error;
    }
  }
  return [];
}

/**
 * The text of an ignore file: UTF-8, or UTF-16 as PowerShell writes it.
 * @throws CliError for anything else: rules that are not read would pack what they name
 */
function ignoreText(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    // A mark at the beginning is no part of the first rule: the decoder takes it away.
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  throw new CliError('bad-ignore-file', `${name} is neither UTF-8 nor UTF-16 with a byte order mark`, {
    file: name,
    remedy: 'save it as UTF-8: what it names would be packed otherwise',
  });
}

/** Checks that a path is a folder; the errors of `plugin package` otherwise. */
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
  const secrets =
    options.defaultExcludes === false ? [] : SECRET_EXCLUDES.map((pattern) => compileRule(pattern, 'secret'));
  const included = (options.include ?? []).map((pattern) => pattern.replaceAll('\\', '/').replace(/^\.?\//, ''));
  const include = included.map((pattern) => compileRule(`!${pattern}`, '--include'));
  const leadsToIncluded = (folderPath: string): boolean => included.some((path) => path.startsWith(`${folderPath}/`));
  // The user's own rules come last, so that `!.env` brings back what the defaults leave out.
  const own = await readIgnoreRules(root);
  const rules = [...defaults, ...secrets, ...own, ...include];
  const wanted = [...own, ...include].filter((rule) => rule.negated);
  const isWanted = (names: readonly string[], directory: boolean): boolean =>
    wanted.some((rule) => rule.matches(names, directory));
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
        // A folder that is left out may hold one file that is wanted: the others in it match the same rule.
        if (entry.isDirectory() && leadsToIncluded(relative)) {
          await visit(source, names);
          continue;
        }
        folder.leftOut.push({
          path: relative,
          directory: entry.isDirectory(),
          reason: reasonOf(rule),
          ...(rule.from === 'secret' && { secret: true as const }),
        });
        continue;
      }
      if (defaults.length > 0 && !isWanted(names, entry.isDirectory())) {
        const found = await unwanted(source, entry);
        if (found !== undefined) {
          folder.leftOut.push({ path: relative, directory: entry.isDirectory(), ...found });
          continue;
        }
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

const reasonOf = ({ from, pattern }: IgnoreRule): string =>
  from === 'default'
    ? `always left out (${pattern})`
    : from === 'secret'
      ? `it may hold secrets (${pattern})`
      : `${from}: ${pattern}`;

/** What no name gives away: virtual environments of any name, private keys in any file. */
async function unwanted(source: string, entry: Dirent): Promise<Pick<LeftOut, 'reason' | 'secret'> | undefined> {
  if (entry.isDirectory()) {
    const isEnvironment = await stat(join(source, 'pyvenv.cfg')).then(
      () => true,
      () => false,
    );
    return isEnvironment ? { reason: 'always left out (a virtual environment: it holds pyvenv.cfg)' } : undefined;
  }
  if (!entry.isFile()) return undefined;
  const { size } = await lstat(source);
  try {
    return (await holdsPrivateKey(source, entry.name, size))
      ? { reason: 'it holds a private key', secret: true }
      : undefined;
  } catch (error) {
    // What cannot be read is said when it is to be packed.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
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

/** Links, special files and secrets: shown as warnings, because a person put them there on purpose. */
export function suspiciousLeftOut(folder: Folder): LeftOut[] {
  return folder.leftOut.filter(
    (entry) => entry.secret === true || entry.reason.startsWith('a link') || entry.reason.startsWith('neither'),
  );
}
