/**
 * Parents: processes that have imported the SDK and fork plugins that share its memory. A start then takes tens of milliseconds
 * instead of a second, and a plugin a quarter of the memory.
 *
 * Owns the parents: opens one for each seed (environments/seeds), one after the other and without being in the way of calls, replaces one
 * that ended, ends those that are idle.
 * A plugin whose environment no seed stands for, or that a parent would start differently, is started plainly, and the reason is told.
 * Called by whoever starts plugins; the programs are those of plugin-python/.
 */
export type { Haste, Parents, StartedBy, Way } from './contract.ts';
export type { ParentFacts } from './living-parents.ts';
export { type ParentsOptions, ParentsPool } from './parents-pool.ts';
