/**
 * What nodes of one deployment share besides database and storage: short-lived values, messages, locks.
 *
 * Owns nothing durable: every value may vanish at any time. Touches nothing but its backend. Callers: debugging keys and, through
 * `events/`, everything that keeps rows in memory. One folder per driver; `conformance.suite.ts` runs over each of them.
 */
export type { Cache, Listener, Lock, LockOptions, Scripts } from './cache.ts';
export { type MemoryCacheOptions, openMemoryCache } from './memory/index.ts';
export { openPrimaryCache, serveCache } from './primary/index.ts';
export {
  openQueueClient,
  openRedisCache,
  type QueueClient,
  type RedisCacheOptions,
  type RedisServers,
  type RedisTls,
} from './redis/index.ts';
