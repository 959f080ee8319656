/** Jobs of workers: they wait in the primary process, which gives each to a worker, and to another one when that dies. */
export { type JobCalls, type JobOrders, JobsHost } from './jobs-host.ts';
export { openPrimaryJobs, type PrimaryJobsOptions } from './primary-jobs.ts';
