/** Objects in a container of Azure Blob Storage. Loaded when chosen. */
export { type AzureBlobStorageOptions, openAzureBlobStorage } from './azure-blob-storage.ts';
