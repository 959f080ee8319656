/**
 * The line protocol that local plugins and debugging connections share: one JSON object per line, many sessions on one channel
 * (docs/wire/runtime-protocol.md#lines). Owns splitting, routing and the encoding of lines; knows no process, no socket and no HTTP.
 * Used by runtimes/local and runtimes/debugging.
 */
export { Cancellation, type CancellationOptions } from './cancellation.ts';
export { readFairly } from './fair-reading.ts';
export { LineChannel, type LineChannelOptions } from './line-channel.ts';
export type { LineChannelEvents } from './line-events.ts';
export { LineWriter } from './line-writer.ts';
export { cancelLine, endedSessionLines } from './outgoing.ts';
export { PluginChannel, type PluginChannelOptions } from './plugin-channel.ts';
export { PluginOutput } from './plugin-output.ts';
