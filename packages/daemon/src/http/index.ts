/**
 * HTTP: the server, authentication, binding, envelope and SSE, and the route tables by group. Knows HTTP and the wire forms of
 * http-api.md; knows no plugin protocol. compose.ts collects the tables and builds the server.
 */

export type { HttpAuditEvent } from './audited.ts';
export { keyCheck } from './auth.ts';
export { assertValid } from './binding.ts';
export { ConnectionLimits } from './connections.ts';
export { errorBody, JSON_TYPE, sendErrorRaw, successBody } from './envelope.ts';
export { FailedAttempts } from './failed-attempts.ts';
export { maySeeDetails } from './gate.ts';
export type { NodeCalls } from './handover.ts';
export { defaultLimits, type HttpLimits } from './limits.ts';
export { expectedBytes, readUpload, type Upload } from './multipart-upload.ts';
export { drainRefused, endWhenSent, readBody, tooLarge } from './raw-body.ts';
export { type AnyRoute, type Call, RawJson, type Route, type RouteGroup, route } from './route.ts';
export { createHttpServer } from './server.ts';
export type { HttpNodes, HttpServer, HttpServerOptions, HttpWarning } from './server-options.ts';
