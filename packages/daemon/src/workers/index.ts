/**
 * Several processes behind one port: a primary process that starts workers, takes the place of Redis between them, replaces those that die
 * and stops them together. It runs no plugins and answers no calls.
 *
 * Owns the worker processes and the seat of each; what they share lives in the drivers of cache/, nodes/ and jobs/ for a primary process.
 * Called by serve-workers.ts; compose/ speaks with it by the contract.
 */
export type {
  PrimaryCalls,
  Seat,
  WorkerCalls,
  WorkerFacts,
  WorkerQuestion,
  WorkersSaid,
} from './contract.ts';
export { Primary, type PrimaryOptions } from './primary.ts';
export type { WorkerProcess } from './worker-process.ts';
