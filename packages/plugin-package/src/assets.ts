import type { PackageArchive } from './archive/package-archive.ts';
import type { PluginDeclaration } from './declaration/types.ts';
import { PackageError } from './errors.ts';

export interface RemappedAssets {
  readonly declaration: PluginDeclaration;
  /** content of every referenced icon by its asset id */
  readonly media: ReadonlyMap<string, Uint8Array>;
}

/** Replaces icon paths by asset ids. @throws PackageError `file not found: x.svg\nfailed to remap tool icon` */
export function remapAssets(_declaration: PluginDeclaration, _assets: ReadonlyMap<string, Uint8Array>): RemappedAssets {
  throw new PackageError('not built yet');
}

/** The content of one asset by its path below `_assets/` (a leading `_assets/` is taken off), or null. */
export function readAsset(_archive: PackageArchive, _path: string): Uint8Array | null {
  throw new PackageError('not built yet');
}
