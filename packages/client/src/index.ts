/**
 * A typed client of the daemon's HTTP API. Its operations and types are made from docs/openapi.json; the rest is written by hand:
 * answers once, streams as async iterators, uploads, errors with what they carry.
 *
 * Knows the API as it is described and imports nothing of the daemon. For programs that use a daemon from outside.
 */
export {
  type BytesName,
  type CallName,
  type CallOptions,
  type ClientOptions,
  DaemonClient,
  type Data,
  DEFAULT_TENANT,
  type DispatchData,
  type DispatchName,
  type Exchange,
  type Input,
  InstallFailedError,
  type InstallOptions,
  type InvokeOptions,
  type OperationName,
  type StreamName,
} from './client.ts';
export { DaemonAnswerError, DaemonUnreachableError, type PluginFailure, UnexpectedAnswerError } from './errors.ts';
export type * from './generated.ts';
export { operations } from './generated.ts';
export type { WireRequest } from './request.ts';
export { type Envelope, sseEvents, sseTexts } from './sse.ts';
