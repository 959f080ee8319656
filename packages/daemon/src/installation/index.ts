/**
 * Installation: packages come in, are checked, stored and read; plugins are installed, upgraded and uninstalled for tenants.
 *
 * Owns the package objects in the storage, the worker threads that read packages, and the install tasks with their jobs. Writes
 * rows only through database/, starts and stops plugins only through supervision/. Called by http/management, http/assets and
 * compose.ts.
 */

export { BytesCache } from './bytes-cache.ts';
export { DeclarationSource } from './declaration-source.ts';
export { InstallJobs, type InstallJobsOptions } from './install-jobs.ts';
export {
  createInstallation,
  type Installation,
  type InstallationOptions,
  type InstallationParts,
} from './installation.ts';
export {
  type InstallAnswer,
  Installations,
  type InstallRequest,
  type UpgradeRequest,
} from './installations.ts';
export { type AcceptedDependency, type AcceptedPackage, PackageIntake } from './package-intake.ts';
export { PackageReader, type Readme } from './package-reader.ts';
export { PackageStore, type PackageStorePrefixes } from './package-store.ts';
export { isRefusal, type PreparedPackage } from './packages/package-jobs.ts';
export { PackageWorkshop } from './packages/package-workshop.ts';
export { type PresentedDeclaration, PresentedDeclarations } from './presented-declarations.ts';
export { ReadyNodes } from './ready-nodes.ts';
export { SignaturePolicy, type SignaturePolicyOptions } from './signature-policy.ts';
export { type InstallationChange, VersionInstaller } from './version-installer.ts';
export type { JobEnd } from './version-job.ts';
export { WantedVersions } from './wanted-versions.ts';
