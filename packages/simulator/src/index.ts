/**
 * What placement and scaling do in deployments larger than any test has: a model in which time passes from event to event, nodes and plugins
 * are as many as one likes, and the decisions are those of the daemon, called as it calls them. Owns the model of what surrounds them: the
 * network, Redis, starting processes, callers. Opens no connection and starts nothing. Run by `main.ts`.
 */
export { defaults, type SimulationOptions } from './options.ts';
export { type Phase, phases } from './phases.ts';
export { type Figures, simulate } from './simulate.ts';
export { table } from './table.ts';
