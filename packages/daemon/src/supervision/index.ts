/**
 * Desired state against running state: launch, restart with back-off, wake on demand, drain, stop. Owns every local runtime; touches
 * environments/ and runtimes/local through what compose.ts hands in. Called by installation/ and, for routing, by invocation/.
 */
export type { LocalPlugins } from './contract.ts';
export { Housekeeping, type HousekeepingOptions } from './housekeeping.ts';
export { Limiter } from './limiter.ts';
export { LocalSupervisor, type LocalSupervisorOptions } from './local-plugins.ts';
export { createPluginStarter, type PluginStarterOptions } from './plugin-starter.ts';
export type { PluginState } from './supervised-plugin.ts';
