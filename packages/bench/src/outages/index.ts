/**
 * Bad days of several nodes under load: what happens, and how many calls failed. Owns the table of outages and how one is run; the nodes and
 * callers are fleet/. Run by `outages.ts`, the program.
 */
export type { Outage, Row } from './outage.ts';
export { outages } from './outages.ts';
export { type RunOptions, run } from './run.ts';
