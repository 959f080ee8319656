import { openArchive, type PackageArchive } from '../archive/index.ts';
import { readAsset } from '../assets.ts';
import { MANIFEST } from '../declaration/index.ts';
import { PackageError, type Problem } from '../errors.ts';
import { type DecodedPackage, type DecodeOptions, decodeBundledPackage } from '../package.ts';
import { type BundleManifest, type Dependency, parseBundleManifest } from './manifest.ts';

export interface BundleLimits {
  /** bytes of all files of the bundle together, uncompressed; embedded packages count as they are */
  readonly maxUnpackedBytes?: number | undefined;
}

export interface DecodedBundle {
  readonly manifest: BundleManifest;
  readonly archive: PackageArchive;
  readonly warnings: readonly Problem[];
}

/** A dependency the way an upload answers it (docs/wire/packages.md#bundles); a package still has to be turned into its answer. */
export type ResolvedDependency =
  | {
      readonly type: 'github';
      readonly value: {
        readonly repo_address: string;
        readonly repo: string;
        readonly release: string;
        readonly packages: string;
      };
    }
  | {
      readonly type: 'marketplace';
      readonly value: { readonly organization: string; readonly plugin: string; readonly version: string };
    }
  | { readonly type: 'package'; readonly bytes: Uint8Array; readonly decoded: DecodedPackage };

/** The manifest and the archive of an uploaded bundle. @throws PackageError ending in `failed to decode bundle` */
export function decodeBundle(bytes: Uint8Array, limits: BundleLimits = {}): DecodedBundle {
  try {
    const archive = openArchive(bytes);
    const limit = limits.maxUnpackedBytes ?? Number.POSITIVE_INFINITY;
    if (archive.unpackedBytes > limit) {
      throw new PackageError(
        `bundle package size is too large, please ensure the uncompressed size is less than ${limit} bytes`,
      );
    }
    const source = Buffer.from(archive.read(MANIFEST)).toString('utf8');
    const parsed = parseBundleManifest(source, MANIFEST);
    // Upstream takes it for a bundle of nothing and answers success.
    if (parsed.manifest.type === 'plugin')
      throw new PackageError('this is a plugin, not a bundle', { remedy: 'Upload it as a package (.difypkg)' });
    return { archive, ...parsed };
  } catch (error) {
    throw error instanceof PackageError ? error.joined('failed to decode bundle') : error;
  }
}

/**
 * One dependency of a bundle, an embedded package decoded and checked. Ask in manifest order and apply signature policy in
 * between, as uploads always did.
 * @throws PackageError starting with `failed to fetch package from bundle`, `failed to create package decoder`,
 *   `failed to get package unique identifier` or `failed to decode package`; the first and the last are internal errors
 *   on the wire, the others bad requests
 */
export function resolveDependency(
  bundle: DecodedBundle,
  dependency: Dependency,
  options: DecodeOptions = {},
): ResolvedDependency {
  switch (dependency.type) {
    case 'github': {
      const [owner = '', name = '', release = '', asset = ''] = split(dependency.value.repo_pattern);
      const complete = split(dependency.value.repo_pattern).length >= 3;
      const repo = complete ? `${owner}/${name}` : '';
      const repo_address = complete ? `https://github.com/${repo}` : '';
      return { type: 'github', value: { repo_address, repo, release, packages: asset } };
    }
    case 'marketplace': {
      const [organization = '', plugin = '', version = ''] = split(dependency.value.marketplace_pattern);
      return { type: 'marketplace', value: { organization, plugin, version } };
    }
    case 'package': {
      const bytes = readAsset(bundle.archive, dependency.value.path);
      if (bytes === null) throw new PackageError('failed to fetch package from bundle\nasset not found');
      return { type: 'package', bytes, decoded: decodeBundledPackage(bytes, options) };
    }
  }
}

function split(pattern: string): string[] {
  return pattern.split(':').flatMap((part) => part.split('/'));
}
