import { PackageError } from '../errors.ts';
import { type ArchiveLimits, openPackage, type PackageArchive } from './package-archive.ts';

/**
 * Opens a package that was kept somewhere and must be the one it was: stores and disks change bytes, and what they give back may be
 * another package, or none.
 * @param checksum of the package's identifier
 * @throws PackageError `the stored package is damaged: …`
 */
export function openStoredPackage(bytes: Uint8Array, checksum: string, limits: ArchiveLimits = {}): PackageArchive {
  const archive = asDamage(() => openPackage(bytes, limits));
  const found = asDamage(() => archive.checksum());
  if (found !== checksum) throw damaged(`its files have the checksum ${found}, not ${checksum}`);
  return archive;
}

function asDamage<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof PackageError ? damaged(error.message, error) : error;
  }
}

const damaged = (why: string, cause?: PackageError): PackageError =>
  new PackageError(`the stored package is damaged: ${why}`, {
    ...(cause !== undefined && { cause }),
    detail: { tag: 'damaged' },
    remedy: 'See that the object store gives back what was put into it, or upload the package again',
  });
