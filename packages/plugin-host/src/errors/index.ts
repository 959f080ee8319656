/**
 * The catalogue of every error that leaves the daemon, and the one class that carries them.
 *
 * A kind fixes wire code, wire type and HTTP status (docs/wire/http-api.md#envelope); the message says what happened, a remedy what to do
 * about it. Dify maps `type` to its exceptions and matches a few texts literally (docs/wire/http-api.md#what-dify-needs), so types are
 * never invented here and those texts are kept. Everyone may throw; only http/ turns errors into responses.
 */

export { type ErrorKind, errorKinds } from './catalogue.ts';
export { DaemonError, type DaemonErrorOptions, isFault, toDaemonError } from './daemon-error.ts';
export { type SessionError, sessionError, sessionErrorJson } from './session-error.ts';
