import { PackageError } from '../errors.ts';
import type { PluginDeclaration } from './types.ts';

/**
 * Bytes of a declaration as JSON. It stands whole in the answers of lists, for each plugin of a tenant; those of the largest published
 * plugins, with hundreds of models, are far smaller.
 */
export const MAX_DECLARATION_BYTES = 8 * 1024 * 1024;

/** @throws PackageError for a declaration that is larger than any list can carry */
export function assertDeclarationSize(declaration: PluginDeclaration): void {
  const size = Buffer.byteLength(JSON.stringify(declaration));
  if (size <= MAX_DECLARATION_BYTES) return;
  throw new PackageError(
    `the declaration of the plugin is ${size} bytes long, at most ${MAX_DECLARATION_BYTES} are allowed: declare less, or split the plugin`,
  );
}
