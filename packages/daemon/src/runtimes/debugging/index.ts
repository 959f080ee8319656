/**
 * Debugging: plugins that developers run on their own machine and that connect over TCP
 * (docs/wire/runtime-protocol.md#debugging-connection).
 *
 * Owns the TCP server, its connections, the connection keys and the rows that exist only because a plugin is connected. Touches the
 * database through its repositories, shared values through the cache, icons through the store it is given. Used by
 * http/debugging (keys) and, through `DebuggingRuntimes`, by whoever looks for a plugin's runtime.
 */
export { DebuggingRuntime } from './debugging-runtime.ts';
export { removeAbandoned } from './installations.ts';
export { type KeptKey, KeyFile } from './key-file.ts';
export { DebuggingKeys, type DebuggingKeysOptions, type KeptKeys } from './keys.ts';
export { DebuggingRuntimes } from './runtimes.ts';
export { DebuggingServer, type DebuggingServerOptions } from './server.ts';
