/**
 * What is decided about nodes and instances, for whoever runs these decisions on a model: the clock, chance and what is known of the others
 * come from outside. Starts nothing and touches nothing. Used by the load simulator.
 */
export { entryParts, fingerprint, type Member, membershipTimes, type NodeEntry, partOf } from './nodes/index.ts';
export { type NodeChoice, NodePlacement, type PlacementRule } from './routing/index.ts';
export { Autoscaler, leastLoaded } from './scaling/index.ts';
export type { PoolPolicy } from './supervision/index.ts';
