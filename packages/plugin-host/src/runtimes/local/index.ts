/**
 * The local runtime: a plugin as a process of this machine, spoken to over stdin and stdout (docs/wire/runtime-protocol.md#local-runtime).
 * Owns the process from start to end; changed only by whoever started it: the daemon's supervision/, or a command.
 */
export {
  type Death,
  type DeathReason,
  LocalRuntime,
  type LocalRuntimeOptions,
  PluginStartError,
} from './local-runtime.ts';
export { MemoryWatch } from './memory-watch.ts';
export { ALLOWED_VARIABLES, isForPlugins, pluginEnvironment, proxyVariables } from './plugin-environment.ts';
export { StderrTail } from './stderr-tail.ts';
