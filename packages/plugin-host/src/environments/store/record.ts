import { chmod, mkdir, readdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isObject } from '@plugin-daemon/values';
import type { PythonInterpreter } from '../python-discovery.ts';
import { sitePackagesOf } from '../working-directory.ts';

/** An environment of the store, as its record says. */
export interface StoredEnvironment {
  readonly key: string;
  /** Of the SDK; null when there is none. */
  readonly sdk: string | null;
  /** Files of the SDK that were replaced. */
  readonly patched: readonly string[];
  /** Of the amendments that were tried on it. */
  readonly amendments: string;
  readonly interpreter: InterpreterFile;
  /** How many entries its site-packages has: what is missing there is seen without reading files. */
  readonly entries: number;
  readonly bytes: number;
  /** Unix seconds. */
  readonly made: number;
}

/** The interpreter an environment was made from, as it was then. */
export interface InterpreterFile {
  readonly path: string;
  readonly version: string;
  readonly size: number;
  readonly modified: number;
}

export const recordFile = (root: string): string => join(root, 'dify', 'environment.json');
export const manifestFile = (root: string): string => join(root, 'dify', 'manifest');

export async function interpreterFile({ path, version }: PythonInterpreter): Promise<InterpreterFile> {
  const real = await realpath(path);
  const { size, mtimeMs } = await stat(real);
  return { path: real, version: version.join('.'), size, modified: Math.floor(mtimeMs) };
}

export const isUnchanged = async ({ path, size, modified }: InterpreterFile): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile() && found.size === size && Math.floor(found.mtimeMs) === modified,
    () => false,
  );

export const entriesIn = async (root: string): Promise<number> =>
  (await readdir(await sitePackagesOf(root))).filter((name) => name !== '__pycache__').length;

/** Whatever the daemon's umask is. */
export async function writeReadable(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await chmod(dirname(path), 0o755);
  await writeFile(path, text);
  await chmod(path, 0o644);
}

export async function writeRecord(root: string, record: StoredEnvironment): Promise<void> {
  const file = recordFile(root);
  const temporary = `${file}.${process.pid}`;
  await writeReadable(temporary, JSON.stringify(record));
  await rename(temporary, file);
}

/** Undefined when there is no environment, or it is not whole. */
export async function readRecord(root: string): Promise<StoredEnvironment | undefined> {
  try {
    return parse(JSON.parse(await readFile(recordFile(root), 'utf8')));
  } catch {
    return undefined; // not there, half written, or damaged: made anew in every case
  }
}

function parse(value: unknown): StoredEnvironment | undefined {
  if (!isObject(value) || !isObject(value.interpreter)) return undefined;
  const { key, sdk, patched, amendments, entries, bytes, made } = value;
  const { path, version, size, modified } = value.interpreter;
  if (typeof key !== 'string' || typeof path !== 'string' || typeof version !== 'string') return undefined;
  if (typeof size !== 'number' || typeof modified !== 'number') return undefined;
  if (typeof entries !== 'number' || typeof bytes !== 'number' || typeof made !== 'number') return undefined;
  return {
    key,
    sdk: typeof sdk === 'string' ? sdk : null,
    patched: Array.isArray(patched) ? patched.filter((one) => typeof one === 'string') : [],
    amendments: typeof amendments === 'string' ? amendments : '',
    interpreter: { path, version, size, modified },
    entries,
    bytes,
    made,
  };
}
