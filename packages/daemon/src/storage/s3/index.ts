/** Objects in a bucket of S3, or of what speaks its protocol. Loaded when chosen. */
export { openS3Storage, type S3StorageOptions } from './s3-storage.ts';
