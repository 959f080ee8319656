/** The cache of a worker: in the primary process, which shares it out to all its workers. */
export { type PrimaryCacheCalls, type PrimaryCacheNews, serveCache } from './cache-host.ts';
export { openPrimaryCache } from './primary-cache.ts';
