/**
 * What all stores that are reached over the network have in common: the contract of `ObjectStorage` on top of the few requests of a
 * driver, and what their failures mean. Callers: the folders of the drivers.
 */
export { failureOf, numberIn, textIn } from './failures.ts';
export { storeLibrary } from './library.ts';
export type { KeyPage, ObjectClient, RemoteFailure } from './object-client.ts';
export { RemoteStorage, type RemoteStorageOptions } from './remote-storage.ts';
