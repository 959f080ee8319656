/** Objects in a bucket of Huawei OBS. Loaded when chosen. */
export { type HuaweiObsOptions, openHuaweiObsStorage } from './huawei-obs-storage.ts';
