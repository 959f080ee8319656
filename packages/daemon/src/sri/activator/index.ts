/**
 * From a call to an instance: holds calls while a function wakes, gives each to the instance with the least to do, passes bytes both
 * ways, and scales functions from none to many and back. Owns every running instance; starts them through a back end it is handed.
 */
export { type ForwardOptions, forward, NOT_REACHED, type Outcome } from './forward.ts';
export { FunctionPool, type FunctionPoolOptions, type Place, type PoolCounts, stopping } from './function-pool.ts';
