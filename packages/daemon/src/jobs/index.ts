/**
 * Work that one node does for all: jobs with names under which the same work asked for twice is one job, and rounds that recur once
 * for all nodes. A small interface, with a driver in this process and one on BullMQ in Redis.
 *
 * Owns the kinds of jobs and how they reach a node that has room; touches Redis only. Callers: installation, and compose, which gives
 * the recurring work its handlers. A job is a hint that there is work: what is to be done, and who may write that it is done, stands in the
 * database, so that nothing is lost with the jobs.
 */

export { type JobKind, type JobName, jobKinds } from './job-kinds.ts';
export {
  type JobControl,
  type JobCounts,
  type JobEnd,
  type JobHandler,
  type JobHandlers,
  JobPostponed,
  type JobQueue,
  type JobQueueOptions,
} from './job-queue.ts';
export { openMemoryJobs } from './memory/index.ts';
export { JobsHost, openPrimaryJobs } from './primary/index.ts';
export { openRedisJobs, type RedisJobsOptions } from './redis/index.ts';
