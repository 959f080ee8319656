/**
 * The daemon's environment: one table of settings, parsed and explained; and the data directory they name.
 *
 * Owns the meaning of every environment variable, `.env`, the generated keys and the lock of the data directory.
 * Only compose.ts reads `Settings`; parts receive small explicit options and never look at the environment.
 */
export { addressHere, type Listening, readAddressFile, writeAddressFile } from './address-file.ts';
export { isLoopback, isPublished } from './cross-check.ts';
export {
  type DataDirectory,
  type DataDirectoryOptions,
  openDataDirectory,
  openWorkerDirectory,
} from './data-directory.ts';
export { lockDataDirectory } from './data-directory-lock.ts';
export { type PassedVariables, renderConfiguration } from './document.ts';
export { type EgressPolicy, type EgressRule, parseEgress } from './egress.ts';
export type { DaemonKey } from './keys.ts';
export { debuggingKeysFile, layoutOf } from './layout.ts';
export { type Environment, loadSettings, readSettings, type Settings } from './load.ts';
export { concealEnvironment } from './own-environment.ts';
export { redisClusterNodes, redisSentinels, usesRedis } from './redis-servers.ts';
export type { SettingWarning } from './setting-warning.ts';
export { type SettingProblem, SettingsError } from './settings-error.ts';
export { openSriDirectory, type SriDirectory } from './sri-directory.ts';
export { tosRegion } from './storage-check.ts';
export { secretSettings, secretValues } from './table.ts';
