/**
 * Dify's inner API: one HTTP client, its two forms of answers, and errors that say what to do.
 *
 * Touches the network only towards DIFY_INNER_API_URL. Compose creates and closes the client; backwards invocation and
 * endpoint settings call it.
 */

export type { ResultSink } from './body-readers.ts';
export { type DifyCallOptions, DifyClient, type DifyClientOptions } from './dify-client.ts';
export { DifyError, type DifyStage } from './dify-error.ts';
export { memberText, withMember } from './json-text.ts';
