/** The cache of a single node: everything in this process. */
export { type MemoryCacheOptions, openMemoryCache } from './memory-cache.ts';
