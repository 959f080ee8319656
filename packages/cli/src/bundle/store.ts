/**
 * A bundle wherever it is: a folder, or a .difybndl file. The manifest is edited as a tree, so that comments and order
 * stay; changes are written all at once. Only packages this command put into `_assets` are ever removed.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BundleManifest,
  bundleFromFiles,
  openPackage,
  PackageError,
  type Problem,
  writeZip,
} from '@plugin-daemon/plugin-package';
import { type Document, parseDocument } from 'yaml';
import { CliError, systemCode } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { readFolder, readFolderFile } from '../source/folder.ts';
import { indentOf } from '../source/manifest-edit.ts';
import { packageError, readPackageFile } from '../source/source.ts';

export interface OpenBundle {
  path: string;
  kind: 'folder' | 'file';
  manifest: BundleManifest;
  warnings: readonly Problem[];
  document: Document;
  /** Every file by path; README files, `_assets/` and manifest.yaml of a folder, everything of a file. */
  files: Map<string, Uint8Array>;
  /** Writes manifest and assets back. */
  save(changes?: { add?: ReadonlyMap<string, Uint8Array>; remove?: readonly string[] }): Promise<void>;
}

const MANIFEST = 'manifest.yaml';

/** Left by editors and file managers; other defaults of plugins do not fit, as `_assets` may hold packages of any name. */
const LITTER = /(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini|\.git|[^/]*~|[^/]*\.sw[op])(?:\/|$)/;

/** Manifest, READMEs and assets of a folder, without what its ignore file names and without links that lead out. */
async function readBundleFolder(path: string, signal: AbortSignal): Promise<Map<string, Uint8Array>> {
  if (!existsSync(join(path, MANIFEST)))
    throw new CliError('invalid-bundle', `${path} is not a bundle: it has no manifest.yaml`, {
      file: MANIFEST,
      remedy: 'create one with dify bundle init',
    });
  const folder = await readFolder(path, { defaultExcludes: false, signal });
  const own = folder.files.filter(
    ({ path: name }) =>
      name === MANIFEST ||
      (!LITTER.test(name) && (name.startsWith('_assets/') || (name.startsWith('README') && !name.includes('/')))),
  );
  return new Map(own.map((file) => [file.path, readFolderFile(file)]));
}

function readArchive(bytes: Uint8Array, path: string): Map<string, Uint8Array> {
  try {
    const archive = openPackage(bytes);
    const unsafe = archive.names.find(
      (name) => name.startsWith('/') || name.split('/').includes('..') || name.includes('\\'),
    );
    if (unsafe !== undefined) throw new PackageError(`illegal file path in bundle: ${JSON.stringify(unsafe)}`);
    return new Map(archive.names.map((name) => [name, archive.read(name)]));
  } catch (error) {
    if (error instanceof PackageError)
      throw new CliError('invalid-bundle', error.message.replaceAll('difypkg', 'difybndl'), {
        file: path,
        cause: error,
      });
    throw error;
  }
}

/** The bytes of a bundle: manifest, assets, readmes, then whatever else it holds, each in byte order. */
export function bundleBytes(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const rank = (name: string): number =>
    name === MANIFEST ? 0 : name.startsWith('_assets/') ? 1 : name.startsWith('README') ? 2 : 3;
  const sorted = [...files].sort(([a], [b]) => rank(a) - rank(b) || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return writeZip(sorted.map(([name, content]) => ({ name, content })));
}

export async function openBundle(path: string, signal: AbortSignal): Promise<OpenBundle> {
  const info = await stat(path).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT'
      ? new CliError('not-found', `${path}: no such file or directory`, { file: path, cause: error })
      : error;
  });
  const kind = info.isDirectory() ? 'folder' : 'file';
  const files =
    kind === 'folder' ? await readBundleFolder(path, signal) : readArchive(await readPackageFile(path), path);
  let parsed: ReturnType<typeof bundleFromFiles>;
  try {
    parsed = bundleFromFiles(files);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const failure = packageError(error, path);
    throw new CliError('invalid-bundle', failure.message, {
      file: failure.file ?? MANIFEST,
      cause: error,
      ...(failure.line === undefined ? {} : { line: failure.line }),
    });
  }
  if (parsed.manifest.type === 'plugin')
    throw new CliError('invalid-bundle', `${path} is a plugin, not a bundle`, {
      file: MANIFEST,
      remedy:
        'dify plugin package packs it; dify bundle init makes a bundle, dify bundle append package puts the packed plugin into it',
    });
  const source = Buffer.from(files.get(MANIFEST) ?? []).toString('utf8');
  const document = parseDocument(source);
  return {
    path,
    kind,
    manifest: parsed.manifest,
    warnings: parsed.warnings,
    document,
    files,
    async save({ add = new Map(), remove = [] } = {}) {
      const text = document.toString({ lineWidth: 0, indent: indentOf(source) });
      if (kind === 'file') {
        const changed = new Map(files);
        changed.set(MANIFEST, Buffer.from(text));
        for (const [name, bytes] of add) changed.set(name, bytes);
        for (const name of remove) changed.delete(name);
        await writeFileAtomic(path, bundleBytes(changed));
        return;
      }
      // Assets first: a manifest never names a package that is not there.
      for (const [name, bytes] of add) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFileAtomic(join(path, name), bytes);
      }
      await writeFileAtomic(join(path, MANIFEST), text);
      for (const name of remove) await rm(join(path, name), { force: true });
    },
  };
}
