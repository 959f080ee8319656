/** Jobs of one node that has nobody to share them with: everything runs in this process, at once. */
export { openMemoryJobs } from './memory-jobs.ts';
