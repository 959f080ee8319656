/**
 * The formats of plugin packages (.difypkg) and bundles (.difybndl): containers, declarations, identity, signatures.
 *
 * Bytes in, values out: no network, no database, no logging. Everything is synchronous and meant to run in a worker
 * thread; the only files touched are those below a directory that the caller names (extractTo, packDirectory).
 * Called by the daemon (upload, install, debugging, settings) and by the command line tool.
 */
export { type ArchiveLimits, openPackage, type PackageArchive } from './archive/package-archive.ts';
export { writeZip, type ZipFile } from './archive/zip-writer.ts';
export { type RemappedAssets, readAsset, remapAssets } from './assets.ts';
export { declarationCategory, presentDeclaration } from './declaration/present.ts';
export {
  declarationFromRegistration,
  type Registration,
  remoteChecksum,
  validateManifest,
} from './declaration/remote.ts';
export { decodeModelDeclaration, parseDeclaration, stringifyDeclaration } from './declaration/stored.ts';
export type * from './declaration/types.ts';
export { PackageError, type PackageErrorDetails, type Problem } from './errors.ts';
export * from './identifier.ts';
export {
  type AuthorizedCategory,
  type DecodedPackage,
  type DecodeOptions,
  decodePackage,
  type SignatureVerdict,
  type Verification,
} from './package.ts';
export { readReadmes } from './readme.ts';
export { maskSecret, maskSettings, validateSettings } from './settings.ts';
