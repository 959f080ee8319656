/**
 * The formats of plugin packages (.difypkg) and bundles (.difybndl): containers, declarations, identity, signatures.
 *
 * Bytes in, values out: no network, no database, no logging. Everything is synchronous and meant to run in a worker
 * thread; the only files touched are those below a directory that the caller names (extractTo, packDirectory).
 * Called by the daemon (upload, install, debugging, settings) and by the command line tool.
 */
export * from './archive/index.ts';
export { assetId, mapIcons, type RemappedAssets, readAsset, remapAssets } from './assets.ts';
export * from './bundle/index.ts';
export * from './declaration/index.ts';
export * from './directory/index.ts';
export { PackageError, type PackageErrorDetails, type Problem } from './errors.ts';
export { parseExactJson } from './exact-integer.ts';
export * from './identifier.ts';
export { type DecodedPackage, type DecodeOptions, decodePackage } from './package.ts';
export { readReadmes } from './readme.ts';
export { maskSecret, maskSettings, normalizeSettings, validateSettings } from './settings.ts';
export * from './signature/index.ts';
export * from './yaml/index.ts';
