/**
 * The container of packages and bundles: a zip reader that trusts nothing, a writer whose output depends on its input
 * alone, and the checksum over files. Only `extractTo` touches a file system. Called by everything in this package, and by
 * the command line tool.
 */
export { checksumOf } from './checksum.ts';
export { explainFile } from './explain.ts';
export {
  type ArchiveLimits,
  MAX_ENTRIES,
  MAX_NAME_LENGTH,
  openArchive,
  openPackage,
  type PackageArchive,
} from './package-archive.ts';
export { openStoredPackage } from './stored.ts';
export { hasArchiveEnd } from './zip-reader.ts';
export { writeZip, type ZipFile } from './zip-writer.ts';
