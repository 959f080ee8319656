import { openArchive, type PackageArchive, writeZip, type ZipFile } from '../archive/index.ts';
import { ASSETS_FOLDER } from '../assets.ts';
import { assembleDeclaration, MANIFEST } from '../declaration/index.ts';
import { missingFile, PackageError, type Problem } from '../errors.ts';
import { type BundleManifest, type Dependency, parseBundleManifest, stringifyBundleManifest } from './manifest.ts';

/** A bundle taken apart, as the command line tool edits it. */
export interface Bundle {
  readonly manifest: BundleManifest;
  /** by the path below `_assets/`; embedded packages are named by their checksum */
  readonly assets: ReadonlyMap<string, Uint8Array>;
  /** files of the root whose names start with README */
  readonly extraFiles: ReadonlyMap<string, Uint8Array>;
  readonly warnings: readonly Problem[];
}

/** A bundle from its files by path, as a directory or an archive has them; other files are left out. @throws PackageError */
export function bundleFromFiles(files: ReadonlyMap<string, Uint8Array>): Bundle {
  const raw = files.get(MANIFEST);
  if (raw === undefined) throw missingFile(MANIFEST);
  const { manifest, warnings } = parseBundleManifest(Buffer.from(raw).toString('utf8'), MANIFEST);
  const assets = new Map<string, Uint8Array>();
  const extraFiles = new Map<string, Uint8Array>();
  for (const [name, content] of files) {
    if (name.startsWith(ASSETS_FOLDER)) assets.set(name.slice(ASSETS_FOLDER.length), content);
    else if (isExtra(name)) extraFiles.set(name, content);
  }
  return { manifest, assets, extraFiles, warnings };
}

/** A .difybndl as files. @throws PackageError with the zip reader's texts */
export function readBundle(bytes: Uint8Array): Bundle {
  const archive = openArchive(bytes);
  const names = archive.names.filter((name) => name === MANIFEST || name.startsWith(ASSETS_FOLDER) || isExtra(name));
  return bundleFromFiles(new Map(names.map((name) => [name, archive.read(name)])));
}

/** The .difybndl of a bundle: manifest, assets and READMEs, each in byte order. */
export function writeBundle(bundle: Bundle): Uint8Array {
  const manifest = Buffer.from(stringifyBundleManifest(bundle.manifest), 'utf8');
  return writeZip([
    { name: MANIFEST, content: manifest },
    ...sorted(bundle.assets, ASSETS_FOLDER),
    ...sorted(bundle.extraFiles, ''),
  ]);
}

export function withDependency(bundle: Bundle, dependency: Dependency): Bundle {
  const dependencies = [...bundle.manifest.dependencies, dependency];
  return { ...bundle, manifest: { ...bundle.manifest, dependencies } };
}

/** Embeds a package. @throws PackageError `…\nplease provide a valid difypkg file` */
export function withPackage(bundle: Bundle, bytes: Uint8Array): Bundle {
  const path = checksumOfPackage(bytes);
  const assets = new Map(bundle.assets).set(path, bytes);
  return withDependency({ ...bundle, assets }, { type: 'package', value: { path } });
}

function checksumOfPackage(bytes: Uint8Array): string {
  try {
    const archive: PackageArchive = openArchive(bytes);
    assembleDeclaration(archive);
    return archive.checksum();
  } catch (error) {
    throw error instanceof PackageError ? error.joined('please provide a valid difypkg file') : error;
  }
}

/** Takes a dependency out, with its package when no other one uses it. @throws PackageError `index out of bounds` */
export function withoutDependency(bundle: Bundle, index: number): Bundle {
  const removed = bundle.manifest.dependencies[index];
  if (removed === undefined) throw new PackageError('index out of bounds');
  const dependencies = bundle.manifest.dependencies.toSpliced(index, 1);
  const assets = new Map(bundle.assets);
  if (removed.type === 'package' && !dependencies.some((one) => isSamePackage(one, removed.value.path))) {
    assets.delete(removed.value.path);
  }
  return { ...bundle, assets, manifest: { ...bundle.manifest, dependencies } };
}

function isSamePackage(dependency: Dependency, path: string): boolean {
  return dependency.type === 'package' && dependency.value.path === path;
}

function isExtra(name: string): boolean {
  return name.startsWith('README') && !name.includes('/');
}

function sorted(files: ReadonlyMap<string, Uint8Array>, folder: string): ZipFile[] {
  const named = [...files].map(([name, content]) => ({ name: folder + name, content }));
  return named.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
