/**
 * What runs plugins: the contract that every runtime keeps, whatever carries it. Owns the contract and the budgets that channels share;
 * protocol/ and local/ have doors of their own, and further runtimes live where their transport is known.
 */
export type { PluginBudgets } from './plugin-budgets.ts';
export type {
  InstanceListener,
  Line,
  PluginInstance,
  PluginRuntime,
  RuntimeSession,
  RuntimeType,
  SessionContext,
  SessionSink,
} from './runtime.ts';
