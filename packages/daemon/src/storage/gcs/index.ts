/** Objects in a bucket of Google Cloud Storage. Loaded when chosen. */
export { type GcsStorageOptions, openGcsStorage } from './gcs-storage.ts';
