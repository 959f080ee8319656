/**
 * Backwards invocation: calls that plugins make back into Dify, their permissions, the client for Dify's inner API, and the
 * storage that plugins have (docs/wire/runtime-protocol.md#calls-back-into-dify).
 *
 * Owns the connections to Dify and what lies below the persistence prefix of object storage; touches the quota rows through
 * their repository. Invocation calls it for each `invoke` message; endpoints use the settings cipher; compose wires it.
 */
export type * from './contract.ts';
export * from './dify/index.ts';
export { createSettingsCipher, type SettingsCipher, type SettingsRequest } from './encryption.ts';
export { type BackwardsInvocationsOptions, type CallBackBudgets, createBackwardsInvocations } from './invocations.ts';
export { type PluginObjects, PluginStorage, type PluginStorageOptions } from './storage/index.ts';
