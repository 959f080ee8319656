/**
 * Jobs that any node does: queues of BullMQ in Redis, under the prefix of the cache. A job whose node dies is given to another within
 * seconds; recurring work stands there once, however many nodes there are. Everything may be lost with the server: it is asked for again.
 */
export { openRedisJobs, type RedisJobsOptions } from './redis-jobs.ts';
