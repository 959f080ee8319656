/**
 * What nodes of one deployment share besides database and storage: short-lived values, events, locks.
 *
 * Owns nothing durable: every value may vanish at any time. Touches nothing but its backend. Callers: debugging keys,
 * environments (one build of a version at a time), invalidation of what parts keep in memory.
 * One folder per driver; `conformance.suite.ts` runs over each of them.
 */
export type { Cache, Lock, LockOptions } from './cache.ts';
export { type MemoryCacheOptions, openMemoryCache } from './memory/index.ts';
