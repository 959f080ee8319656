import type { PackageArchive } from './archive/package-archive.ts';
import { PackageError } from './errors.ts';

/** Readme texts by language (`en_US`, `zh_Hans`, …). @throws PackageError when README.md is missing */
export function readReadmes(_archive: PackageArchive): Map<string, string> {
  throw new PackageError('not built yet');
}
