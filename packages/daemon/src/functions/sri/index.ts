/**
 * Client of the connector (SRI) that builds functions from packages and lists them (docs/wire/lifecycle.md#connector). Owns the connections
 * to it and the reading of its answers, which are those of a stranger: bounded, with any types, cut anywhere. Knows no rows and no tasks;
 * called by functions/ alone.
 */
export { keyIn } from './connector-key.ts';
export { SriRefusal, SriUnavailable } from './errors.ts';
export type { LaunchEvent } from './launch-events.ts';
export { type LaunchedFunction, type LaunchRequest, SriClient, type SriClientOptions } from './sri-client.ts';
