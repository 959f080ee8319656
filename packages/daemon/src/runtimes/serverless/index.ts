/**
 * Plugins behind the URLs of functions: one HTTP exchange for each session (docs/wire/runtime-protocol.md#functions). Owns the connections
 * to functions and what is under way on them; knows neither who builds functions nor what calls mean. What functions call back comes in
 * through http/transactions. Used by functions/, which knows where a function is; wired in compose/.
 */

export { requestTooLarge } from './function-call.ts';
export { FunctionClient, type FunctionClientOptions } from './function-client.ts';
export type { AttemptOutcome, FunctionRuntimeOptions } from './function-options.ts';
export { FunctionRuntime } from './function-runtime.ts';
export { FunctionRuntimes, type FunctionRuntimesOptions } from './function-runtimes.ts';
export { mayExceed, requestBytes } from './request-bytes.ts';
