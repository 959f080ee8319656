/**
 * Objects by key: packages, installed copies, assets, the storage of plugins. Keys and layout are those of the existing
 * daemon on every backend (docs/wire/state.md#object-keys).
 *
 * Owns the bytes below its root, or in its bucket; touches nothing else. Callers: installation, assets, backwards invocation, supervision.
 * One folder per driver; `conformance.suite.ts` runs over each of them.
 */

export { type LocalStorageOptions, openLocalStorage } from './local/index.ts';
export { measured } from './measured.ts';
export { objectKey } from './object-key.ts';
export type { ObjectStat, ObjectStorage, ObjectStream } from './object-storage.ts';
export { openStorage, type StorageOptions } from './open.ts';
