import type { ProviderConfig } from './declaration/types.ts';
import { PackageError } from './errors.ts';

/** @throws PackageError with the texts of packages.md section 18, e.g. `missing required setting: token` */
export function validateSettings(
  _settings: Readonly<Record<string, unknown>>,
  _config: readonly ProviderConfig[],
): void {
  throw new PackageError('not built yet');
}

/** Secrets made unreadable for display: first and last two bytes kept above six bytes. */
export function maskSettings(
  _settings: Readonly<Record<string, unknown>>,
  _config: readonly ProviderConfig[],
): Record<string, unknown> {
  throw new PackageError('not built yet');
}

export function maskSecret(_value: string): string {
  throw new PackageError('not built yet');
}
