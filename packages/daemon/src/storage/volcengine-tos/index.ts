/** Objects in a bucket of Volcengine TOS. Loaded when chosen. */
export { openVolcengineTosStorage, type VolcengineTosOptions } from './volcengine-tos-storage.ts';
