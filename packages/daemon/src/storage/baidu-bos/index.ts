/** Objects in a bucket of Baidu BOS. Loaded when chosen. */
export { type BaiduBosOptions, openBaiduBosStorage } from './baidu-bos-storage.ts';
