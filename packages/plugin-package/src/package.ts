import type { PackageArchive } from './archive/package-archive.ts';
import type { PluginDeclaration } from './declaration/types.ts';
import { PackageError, type Problem } from './errors.ts';
import type { UniqueIdentifier } from './identifier.ts';

export interface DecodeOptions {
  readonly maxUnpackedBytes?: number | undefined;
  /** PEM texts of RSA public keys that are trusted in addition to the official one */
  readonly publicKeys?: readonly string[] | undefined;
}

export type AuthorizedCategory = 'langgenius' | 'partner' | 'community';

export interface Verification {
  readonly authorized_category: AuthorizedCategory;
}

/** Why a package is or is not trusted; `reason` is a sentence for people. */
export interface SignatureVerdict {
  readonly state: 'verified' | 'unsigned' | 'damaged-signature' | 'unknown-key-or-modified';
  readonly reason: string;
}

export interface DecodedPackage {
  readonly identifier: UniqueIdentifier;
  readonly declaration: PluginDeclaration;
  /** null when not verified or of no known category */
  readonly verification: Verification | null;
  readonly verified: boolean;
  readonly signature: SignatureVerdict;
  readonly archive: PackageArchive;
  /** files below `_assets/`, keyed by the path below it, inflated when asked for */
  readonly assets: ReadonlyMap<string, Uint8Array>;
  /** what the field rules would object to; the package is accepted nevertheless (packages.md section 1) */
  readonly warnings: readonly Problem[];
}

/** @throws PackageError with the texts of packages.md section 26.2 and 26.3 */
export function decodePackage(_bytes: Uint8Array, _options: DecodeOptions = {}): DecodedPackage {
  throw new PackageError('not built yet');
}
