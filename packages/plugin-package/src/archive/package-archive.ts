import { PackageError } from '../errors.ts';

export interface ArchiveLimits {
  /** bytes of all entries together, uncompressed */
  readonly maxUnpackedBytes?: number | undefined;
  /** number of entries, default 10 000 */
  readonly maxEntries?: number | undefined;
}

/** The files of one package. Reading is lazy; a file that was read once is kept until the archive is dropped. */
export interface PackageArchive {
  /** file names in archive order, without directory entries; the first of duplicate names counts */
  readonly names: readonly string[];
  readonly unpackedBytes: number;
  /** the archive comment, which holds the signature of a signed package; '' when there is none */
  readonly comment: string;
  has(name: string): boolean;
  /** @throws PackageError `open <name>: file does not exist` and the texts of damaged entries (packages.md 5.1) */
  read(name: string): Uint8Array;
  /** Writes every file below a new directory: into a temporary sibling first, then renamed. @throws PackageError */
  extractTo(directory: string): void;
  /** lower-case hex SHA-256 over names and contents (packages.md section 20) */
  checksum(): string;
}

export function openPackage(_bytes: Uint8Array, _limits: ArchiveLimits = {}): PackageArchive {
  throw new PackageError('not built yet');
}
