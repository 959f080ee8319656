/** Objects in a bucket of Tencent COS. Loaded when chosen. */
export { openTencentCosStorage, type TencentCosOptions } from './tencent-cos-storage.ts';
