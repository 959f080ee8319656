/**
 * One call of one plugin: the session, the table of actions, reading of answers, limits and cancellation. Owns sessions; a session is
 * changed only here. Knows runtimes by their contract and backwards invocation by its contract; knows no HTTP.
 * Called by http/dispatch, http/webhooks and bench programs; wired in compose.ts.
 */

export { type ActionSpec, dispatchActions, invokeEndpoint } from './actions.ts';
export { Admission, type AdmissionOptions } from './admission/index.ts';
export { type CallOptions, Invocations, type InvocationsOptions, type WaitingCaller } from './invocations.ts';
export { type DispatchRequest, dispatchBody, readDispatchBody, type SessionEnvelope } from './request-message.ts';
export type { Session } from './session.ts';
export type { SessionFailure, SessionLimits, SessionOutcome, SessionOutput } from './session-contract.ts';
export { SessionRegistry, type SessionRegistryOptions } from './session-registry.ts';
