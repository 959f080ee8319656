import { PackageError } from '../errors.ts';
import type { PluginDeclaration } from './types.ts';

/** The `data` of each registration message a debugging plugin sent; of the lists only element 0 is used. */
export interface Registration {
  readonly manifest: unknown;
  readonly tools?: unknown;
  readonly models?: unknown;
  readonly endpoints?: unknown;
  readonly agentStrategies?: unknown;
  readonly datasources?: unknown;
  readonly triggers?: unknown;
}

/** @throws PackageError with the texts of packages.md 26.4, prefix included */
export function declarationFromRegistration(_registration: Registration): PluginDeclaration {
  throw new PackageError('not built yet');
}

/** Identity checksum of a debugging plugin: SHA-256 over declaration JSON and tenant id. */
export function remoteChecksum(_declaration: PluginDeclaration, _tenantId: string): string {
  throw new PackageError('not built yet');
}

/** Cross checks of section 9.7. @throws PackageError with the rule's text alone */
export function validateManifest(_declaration: PluginDeclaration): void {
  throw new PackageError('not built yet');
}
