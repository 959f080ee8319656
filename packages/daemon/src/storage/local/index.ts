/** Objects as files below one directory, under exactly their keys. */
export { type LocalStorageOptions, openLocalStorage } from './local-storage.ts';
