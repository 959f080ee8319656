/**
 * Desired state against running state: launch, restart with back-off, scale, sleep and wake on demand, drain, stop. A version that is
 * claimed has a pool of instances, perhaps an empty one; the last claim given up ends it. Owns every local runtime; touches environments/ and runtimes/local through what
 * compose/ hands in. Called by installation/ and, for routing, by invocation/.
 */
export type { Claim, LocalPlugins } from './contract.ts';
export { type EnvironmentCare, Housekeeping, type HousekeepingOptions } from './housekeeping.ts';
export type { PluginState } from './instance-slot.ts';
export { Limiter } from './limiter.ts';
export { LocalSupervisor, type LocalSupervisorOptions, type PoolLoad } from './local-supervisor.ts';
export {
  checkPluginId,
  PluginPolicies,
  type PolicyChange,
  policyFields,
  readFilePolicies,
  readPolicy,
} from './plugin-policies.ts';
export { createPluginStarter, type PluginStarterOptions } from './plugin-starter.ts';
export type { CallLimits, PoolPolicy } from './policy.ts';
export { RecentUse } from './recent-use.ts';
