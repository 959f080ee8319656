/**
 * The cache of several nodes: Redis or what speaks its protocol, alone, behind Sentinel, or as a Cluster. Every command concerns one
 * key, or keys that share a hash tag; every key has an expiry; nothing needs a server newer than 5.
 */
export { openQueueClient, type QueueClient } from './queue-client.ts';
export { openRedisCache, type RedisCacheOptions } from './redis-cache.ts';
export type { RedisServers, RedisTls } from './servers.ts';
