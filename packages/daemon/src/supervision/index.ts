/**
 * Desired state against running state: launch, restart with back-off, wake on demand, drain, stop. A version that is claimed runs as a
 * pool of instances; the last claim given up ends it. Owns every local runtime; touches environments/ and runtimes/local through what
 * compose/ hands in. Called by installation/ and, for routing, by invocation/.
 */
export type { Claim, LocalPlugins } from './contract.ts';
export { Housekeeping, type HousekeepingOptions } from './housekeeping.ts';
export type { PluginState } from './instance-slot.ts';
export { Limiter } from './limiter.ts';
export { LocalSupervisor, type LocalSupervisorOptions } from './local-supervisor.ts';
export { createPluginStarter, type PluginStarterOptions } from './plugin-starter.ts';
