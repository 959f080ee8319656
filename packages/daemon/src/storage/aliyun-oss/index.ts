/** Objects in a bucket of Aliyun OSS. Loaded when chosen. */
export { type AliyunOssOptions, openAliyunOssStorage } from './aliyun-oss-storage.ts';
