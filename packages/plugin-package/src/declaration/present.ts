import { PackageError } from '../errors.ts';
import type { PluginCategory, PluginDeclaration } from './types.ts';

/** What HTTP answers carry: provider descriptions and tags inherited from the plugin. Does not change its argument. */
export function presentDeclaration(_declaration: PluginDeclaration): PluginDeclaration {
  throw new PackageError('not built yet');
}

/** The category used by list filters (packages.md 9.8). */
export function declarationCategory(_declaration: PluginDeclaration): PluginCategory {
  throw new PackageError('not built yet');
}
