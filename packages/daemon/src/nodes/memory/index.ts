/** The nodes of one process: for tests, and what a driver has to do in few words. */
export { MemoryNodeDirectory } from './memory-node-directory.ts';
