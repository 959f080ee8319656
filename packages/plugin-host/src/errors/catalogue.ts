/** Kinds of errors as data: from it the envelope, the documentation and the tests are made. */

export interface KindSpec {
  /** `code` of the envelope. */
  readonly code: number;
  /** `error_type` in the envelope's message; Dify knows exactly these names. */
  readonly type: string;
  /** HTTP status when a middleware or the binding of a request fails; services on management routes answer 200. */
  readonly status: number;
  readonly meaning: string;
  /** `Retry-After` of its answer, in seconds. */
  readonly retryAfterSeconds?: number;
}

export const errorKinds = {
  internal: {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 500,
    meaning: 'The daemon could not do it; the message names the cause.',
  },
  'bad-request': {
    code: -400,
    type: 'PluginDaemonBadRequestError',
    status: 400,
    meaning: 'The request or the package is not acceptable as it is.',
  },
  'not-found': {
    code: -404,
    type: 'PluginDaemonNotFoundError',
    status: 404,
    meaning: 'Something named in the request does not exist.',
  },
  'identifier-invalid': {
    code: -400,
    type: 'PluginUniqueIdentifierError',
    status: 400,
    meaning: 'A plugin unique identifier is malformed.',
  },
  'plugin-not-found': {
    code: -404,
    type: 'PluginNotFoundError',
    status: 404,
    meaning: 'The tenant has no such plugin (permanent; not for a plugin that is starting).',
  },
  unauthorized: {
    code: -401,
    type: 'PluginDaemonUnauthorizedError',
    status: 401,
    meaning: 'The API key is missing or wrong.',
  },
  'permission-denied': {
    code: -403,
    type: 'PluginPermissionDeniedError',
    status: 403,
    meaning: "The plugin's manifest does not ask for this permission.",
  },
  'plugin-invoke': {
    code: -500,
    type: 'PluginInvokeError',
    status: 500,
    meaning: 'The plugin failed; the message is the plugin error as JSON.',
  },
  /** A plugin that is not running at this moment; the text contains what Dify takes as "try again". */
  'runtime-unavailable': {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 500,
    meaning: 'The plugin is installed but does not run now; try again.',
  },
  'not-routable': {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 404,
    meaning: 'No node runs the plugin; try again.',
  },
  unavailable: {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 503,
    meaning: 'A service that the daemon needs for this does not answer; the message names it; try again.',
  },
  'too-large': {
    code: -400,
    type: 'PluginDaemonBadRequestError',
    status: 413,
    meaning: 'A body is over its limit; the message names limit and setting.',
  },
  'over-budget': {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 503,
    retryAfterSeconds: 10,
    meaning:
      'What all callers, or all of one plugin, may hold in memory is used up; the message names limit and setting; try again.',
  },
  /** The text contains what Dify takes as "try again". */
  overloaded: {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 429,
    retryAfterSeconds: 1,
    meaning:
      'The plugin has more calls than it can take, and enough wait already; `Retry-After` says when to try again.',
  },
  /** The message is a plugin's rate limit error as JSON. */
  'rate-limited': {
    code: -500,
    type: 'PluginInvokeError',
    status: 429,
    meaning:
      'A tenant makes more calls of a plugin than PLUGIN_CALLS_PER_MINUTE allows; `Retry-After` says when to try again.',
  },
  /** The text contains what Dify takes as "try again". */
  'circuit-open': {
    code: -500,
    type: 'PluginDaemonInternalServerError',
    status: 503,
    meaning: 'The plugin failed too often in a row and is left alone for a while; `Retry-After` says how long.',
  },
  'too-many-requests': {
    code: -400,
    type: 'PluginDaemonBadRequestError',
    status: 429,
    meaning:
      'This address asks too much at once, or came with wrong keys too often; `Retry-After` says when to try again.',
  },
} as const satisfies Record<string, KindSpec>;

export type ErrorKind = keyof typeof errorKinds;
