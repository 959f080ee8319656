import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { parse } from 'smol-toml';
import { digestOfLock, type LockFile, readLock } from './lock.ts';
import { type Pyproject, readPyproject } from './pyproject.ts';
import { type RequirementsFile, readRequirementsFile } from './requirements-file.ts';

/** What a package says about its dependencies. Plain values: it is read in a worker thread. */
export interface DependencyFacts {
  readonly pyproject: Readable<Pyproject> | undefined;
  readonly requirements: RequirementsFile | undefined;
  readonly lock: Readable<LockFile> | undefined;
  /** What uv.lock comes to, whoever's it is: the same for projects that differ only in their own name and version. */
  readonly lockDigest: string | undefined;
  /** Of the names and the content of all wheels in `vendor/wheels`. */
  readonly vendoredDigest: string | undefined;
  /** `vendor/wheels` holds at least one wheel. */
  readonly vendoredWheels: boolean;
  /** `vendor/requirements.txt`: the closure that the wheels stand for, pinned. */
  readonly vendoredRequirements: RequirementsFile | undefined;
  /** The file that is started names the SDK. */
  readonly startsSdk: boolean;
  /** The package brings the SDK as a folder or file of its own. */
  readonly carriesSdk: boolean;
  /** It has a folder `src`, which installing the project would have put on the path. */
  readonly hasSourceFolder: boolean;
}

/** The content, or in words why there is none. */
export type Readable<T> = { readonly content: T } | { readonly problem: string };

export const VENDORED_WHEELS = 'vendor/wheels';
export const VENDORED_REQUIREMENTS = 'vendor/requirements.txt';

/** Largest files that are read: twenty times what any known plugin has. */
export const LARGEST: Readonly<Record<string, number>> = {
  'pyproject.toml': 256 * 1024,
  'uv.lock': 8 * 1024 * 1024,
};
const LARGEST_OTHER = 1024 * 1024;

/**
 * @param directory of an unpacked package
 * @param entrypoint the module that is started, `main` in nearly all plugins
 */
export function readDependencies(directory: string, entrypoint: string): DependencyFacts {
  const read = (path: string) => readText(directory, path);
  const requirementsAt = (path: string) => (exists(directory, path) ? readRequirementsFile(path, read) : undefined);
  const document = toml(directory, 'pyproject.toml', read);
  const pyproject = document && mapped(document, readPyproject);
  const locked = toml(directory, 'uv.lock', read);
  const known = pyproject !== undefined && 'content' in pyproject ? pyproject.content : readPyproject({});
  const wheels = names(join(directory, VENDORED_WHEELS)).filter((name) => name.endsWith('.whl'));
  const start = read(`${entrypoint.replaceAll('.', '/')}.py`);
  return {
    pyproject,
    requirements: requirementsAt('requirements.txt') ?? dynamicRequirements(known, read),
    lock: locked && mapped(locked, (content) => readLock(content, known)),
    lockDigest: locked && 'content' in locked ? digestOfLock(locked.content, document) : undefined,
    vendoredDigest: wheels.length === 0 ? undefined : digestOfWheels(join(directory, VENDORED_WHEELS), wheels),
    vendoredWheels: wheels.length > 0,
    vendoredRequirements: requirementsAt(VENDORED_REQUIREMENTS),
    startsSdk: 'text' in start && start.text.includes('dify_plugin'),
    carriesSdk: exists(directory, 'dify_plugin') || exists(directory, 'dify_plugin.py'),
    hasSourceFolder: names(directory).includes('src'),
  };
}

/** `dynamic = ["dependencies"]` that setuptools reads from a file: that file stands for the list. */
function dynamicRequirements(pyproject: Pyproject, read: ReturnType<typeof reader>): RequirementsFile | undefined {
  const [file] = pyproject.dynamicFiles;
  return file === undefined ? undefined : readRequirementsFile(posix.normalize(file), read);
}

const reader = (directory: string) => (path: string) => readText(directory, path);

function toml(directory: string, path: string, read: ReturnType<typeof reader>): Readable<unknown> | undefined {
  if (!exists(directory, path)) return undefined;
  const content = read(path);
  if ('problem' in content) return { problem: `${path}: ${content.problem}` };
  try {
    return { content: parse(content.text) };
  } catch (error) {
    // The library's message carries the line, whatever its length.
    const text = messageOf(error);
    return { problem: `${path}: ${text.slice(0, 400)}` };
  }
}

const mapped = <A, B>(value: Readable<A>, map: (content: A) => B): Readable<B> =>
  'content' in value ? { content: map(value.content) } : value;

function readText(directory: string, path: string): { text: string } | { problem: string } {
  const within = posix.normalize(path);
  if (within.startsWith('..') || posix.isAbsolute(within)) return { problem: 'lies outside the package' };
  const file = join(directory, within);
  const limit = LARGEST[within] ?? LARGEST_OTHER;
  try {
    const { size } = regularFile(file);
    if (size > limit) return { problem: `has ${size} bytes; at most ${limit} are read` };
    const descriptor = openSync(file, 'r');
    try {
      return { text: decoded(readFileSync(descriptor)) };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { problem: error instanceof Error && 'code' in error ? String(error.code) : String(error) };
  }
}

/** Files written by Windows tools may be UTF-16 or begin with a byte order mark. */
function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  const text = bytes.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

function regularFile(path: string): { size: number } {
  const found = lstatSync(path);
  if (!found.isFile()) throw new Error('is not a file');
  return found;
}

/** Undefined when one of them is no file that can be read. */
function digestOfWheels(folder: string, wheels: readonly string[]): string | undefined {
  const hash = createHash('sha256');
  try {
    for (const name of wheels.toSorted()) {
      const file = join(folder, name);
      regularFile(file);
      hash.update(`${JSON.stringify(name)} ${createHash('sha256').update(readFileSync(file)).digest('hex')}\n`);
    }
  } catch {
    return undefined; // said by the installer, who needs it
  }
  return hash.digest('hex');
}

const exists = (directory: string, path: string): boolean =>
  lstatSync(join(directory, path), { throwIfNoEntry: false }) !== undefined;

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // most packages do not have it
  }
}
