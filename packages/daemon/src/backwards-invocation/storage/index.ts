/**
 * The storage that plugins have: key rules, quota, and the answers of the `storage` kind.
 *
 * Owns what lies below the persistence prefix of object storage, and the quota rows through their repository. Only
 * backwards invocation calls it.
 */
export { type PluginObjects, PluginStorage, type PluginStorageOptions, QuotaError } from './plugin-storage.ts';
export { answerStorageRequest } from './storage-answers.ts';
export { StorageKeyError, type StorageNamespace } from './storage-key.ts';
