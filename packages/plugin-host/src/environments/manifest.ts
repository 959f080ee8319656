/** What the files of an environment are. Synchronous, and run in a worker thread: it reads every byte. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  type Dirent,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';

export interface ManifestTask {
  /** The environment, absolute. */
  readonly root: string;
}

/** The largest known environment has 60 000. */
const MOST = 500_000;
const DEEPEST = 60;
const CHUNK = 1024 * 1024;

/** Not of the installation, or said otherwise: ours, the installer's notes on who asked for what, and the file that we write. */
const TOP_NOT_LISTED = new Set(['dify', 'pyvenv.cfg']);
const NOTES = new Set(['RECORD', 'REQUESTED', 'INSTALLER', 'uv_cache.json', 'uv_build.json']);
/** Left behind by the installer at the top. */
const LEFT_BEHIND = new Set(['.lock', '.gitignore', 'CACHEDIR.TAG']);

/** Names are bytes: kept with one character each, so that every name survives. */
const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');
const text = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');

interface Entry {
  readonly path: string;
  /** Relative to the root. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

function* entriesOf(root: string): Generator<Entry> {
  let count = 0;
  const folders: { path: string; name: string; depth: number }[] = [{ path: text(root), name: '', depth: 0 }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (folder.depth > DEEPEST) throw new Error(`an environment with folders deeper than ${DEEPEST}`);
    for (const entry of readdirSync(bytes(folder.path), { withFileTypes: true, encoding: 'latin1' })) {
      if (++count > MOST) throw new Error(`an environment with more than ${MOST} files`);
      const path = `${folder.path}/${entry.name}`;
      const name = folder.name === '' ? entry.name : `${folder.name}/${entry.name}`;
      const kind = kindOf(entry);
      yield { path, name, kind };
      if (kind === 'directory' && !isLeftOut(name)) folders.push({ path, name, depth: folder.depth + 1 });
    }
  }
}

function kindOf(entry: Dirent): Entry['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}

const lastOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Bytecode is given by us, and checked by Python against its source. */
const isLeftOut = (name: string): boolean => TOP_NOT_LISTED.has(name) || lastOf(name) === '__pycache__';

const isNote = (name: string): boolean => /\.dist-info\/[^/]+$/.test(name) && NOTES.has(lastOf(name));

/**
 * Makes a new environment one that many may read and none may write to, and takes away what its wheels could have put where the manifest
 * does not look: bytecode for modules, and what looks like ours.
 */
export function openTree({ root }: ManifestTask): void {
  for (const { path, name, kind } of entriesOf(root)) {
    if (lastOf(name) === '__pycache__' || name === 'dify' || LEFT_BEHIND.has(name)) {
      rmSync(bytes(path), { recursive: true, force: true });
      continue;
    }
    if (kind !== 'file' && kind !== 'directory') continue;
    const mode = statSync(bytes(path)).mode & 0o7777;
    const wanted = (mode & 0o700) | 0o444 | (kind === 'directory' || (mode & 0o100) !== 0 ? 0o111 : 0);
    if (mode !== wanted) chmodSync(bytes(path), wanted);
  }
  chmodSync(root, 0o755);
}

/** A line for each file, and how many bytes they have in all. */
export function manifestOf({ root }: ManifestTask): { lines: string[]; size: number } {
  const lines: string[] = [];
  let size = 0;
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (const { path, name, kind } of entriesOf(root)) {
    if (kind === 'directory' || isLeftOut(name) || isNote(name)) continue;
    if (kind === 'link') {
      lines.push(JSON.stringify([name, 'link', readlinkSync(bytes(path), 'latin1')]));
      continue;
    }
    if (kind === 'other') throw new Error(`${name} is neither a file nor a link`);
    const file = digestOf(path, chunk);
    size += file.size;
    lines.push(JSON.stringify([name, file.executable ? 'program' : 'file', file.digest]));
  }
  return { lines: lines.sort(), size };
}

function digestOf(path: string, chunk: Buffer): { digest: string; size: number; executable: boolean } {
  const file = openSync(bytes(path), 'r');
  try {
    const hash = createHash('sha256');
    const { mode } = fstatSync(file);
    let size = 0;
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      hash.update(chunk.subarray(0, read));
      size += read;
    }
    return { digest: hash.digest('hex'), size, executable: (mode & 0o100) !== 0 };
  } finally {
    closeSync(file);
  }
}

const NAMED = 5;
const MOST_LOOKED_AT = 200;
const LARGEST_RECORD = 8 * 1024 * 1024;

export interface Differences {
  /** The first few files that are not what the manifest says: damaged, missing, or too many. */
  readonly files: readonly string[];
  /** Distributions with a damaged file that is one with the installer's: its cache is damaged too. */
  readonly distributions: readonly string[];
  /** Where every file is as it was installed: those that are not what the wheel they came from says, and were damaged before. */
  readonly installedDamaged: { readonly files: readonly string[]; readonly distributions: readonly string[] };
}

export function differencesOf({ root, lines }: ManifestTask & { readonly lines: readonly string[] }): Differences {
  const expected = new Set(lines);
  const present = manifestOf({ root }).lines;
  const found = new Set(present);
  const different = [...new Set([...expected.symmetricDifference(found)].map(nameIn))];
  const linked = different.slice(0, MOST_LOOKED_AT).filter((name) => {
    const file = statSync(bytes(`${text(root)}/${name}`), { throwIfNoEntry: false });
    return file?.isFile() === true && file.nlink > 1;
  });
  return {
    files: different.slice(0, NAMED),
    distributions: ownersOf(text(root), linked),
    installedDamaged: different.length > 0 ? { files: [], distributions: [] } : unlikeTheirWheels(text(root), present),
  };
}

/** The distributions that say of themselves that they have brought one of these files. */
function ownersOf(root: string, names: readonly string[]): string[] {
  const bySite = Map.groupBy(names, siteOf);
  const owners: string[] = [];
  for (const [site, files] of bySite)
    for (const { owner, lines } of recordsIn(root, site)) {
      const brought = new Set(lines.map((line) => line.split(',', 1)[0]));
      if (files.some((name) => brought.has(name.slice(site.length + 1)))) owners.push(owner);
    }
  return owners;
}

/**
 * Files that are one with the installer's and have another hash than their wheel says. The SDK's, which are amended, are files of their own.
 */
function unlikeTheirWheels(root: string, lines: readonly string[]): Differences['installedDamaged'] {
  const digests = new Map<string, string>();
  for (const line of lines) {
    const [name, kind, digest]: unknown[] = JSON.parse(line);
    if (kind !== 'link') digests.set(String(name), Buffer.from(String(digest), 'hex').toString('base64url'));
  }
  const files: string[] = [];
  const distributions = new Set<string>();
  for (const site of new Set([...digests.keys()].map(siteOf)))
    for (const { owner, lines: brought } of recordsIn(root, site))
      for (const line of brought) {
        const [, name = '', digest = ''] = /^([^",]{1,1000}),sha256=([\w-]{43}),/.exec(line) ?? [];
        const found = digests.get(`${site}/${name}`);
        if (found === undefined || found === digest) continue;
        const file = statSync(bytes(`${root}/${site}/${name}`), { throwIfNoEntry: false });
        if (file?.isFile() !== true || file.nlink < 2) continue;
        distributions.add(owner);
        if (files.length < NAMED) files.push(`${site}/${name}`);
      }
  return { files, distributions: [...distributions] };
}

const siteOf = (name: string): string => /^(.*?\/site-packages)\//.exec(name)?.[1] ?? '';

/** What the distributions of a folder say that they have brought. */
function* recordsIn(root: string, site: string): Generator<{ owner: string; lines: readonly string[] }> {
  if (site === '') return;
  for (const entry of readdirSync(bytes(`${root}/${site}`), 'latin1')) {
    const owner = /^([A-Za-z0-9][A-Za-z0-9._]{0,100})-[^-]{1,100}\.dist-info$/.exec(entry)?.[1];
    const record = bytes(`${root}/${site}/${entry}/RECORD`);
    const size = owner === undefined ? undefined : statSync(record, { throwIfNoEntry: false })?.size;
    if (owner === undefined || size === undefined || size > LARGEST_RECORD) continue;
    yield { owner, lines: readFileSync(record, 'latin1').split('\n') };
  }
}

function nameIn(line: string): string {
  try {
    const value: unknown = JSON.parse(line);
    return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : '?';
  } catch {
    return '?'; // a damaged manifest
  }
}
