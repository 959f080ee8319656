/**
 * Bundles (.difybndl, docs/wire/packages.md#bundles): reading an uploaded one with its packages, taking one apart, changing and
 * writing it. Touches no file. Called by the daemon's upload and by the command line tool.
 */
export {
  type Bundle,
  bundleFromFiles,
  readBundle,
  withDependency,
  withoutDependency,
  withPackage,
  writeBundle,
} from './bundle.ts';
export {
  type BundleLimits,
  type DecodedBundle,
  decodeBundle,
  type ResolvedDependency,
  resolveDependency,
} from './decode.ts';
export {
  type BundleManifest,
  type Dependency,
  githubDependency,
  marketplaceDependency,
  parseBundleManifest,
  requireVersion,
  stringifyBundleManifest,
} from './manifest.ts';
