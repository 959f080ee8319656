/**
 * HTTP: the server, authentication, binding, envelope and SSE, and the route tables by group. Knows HTTP and the wire forms of
 * http-api.md; knows no plugin protocol. compose.ts collects the tables and builds the server.
 */

export type { HttpAuditEvent } from './audited.ts';
export { assertValid } from './binding.ts';
export { errorBody, JSON_TYPE, sendErrorRaw, successBody } from './envelope.ts';
export { maySeeDetails } from './gate.ts';
export { defaultLimits, type HttpLimits } from './limits.ts';
export { readBody, tooLarge } from './raw-body.ts';
export { type AnyRoute, type Call, RawJson, type Route, type RouteGroup, route } from './route.ts';
export { createHttpServer, type HttpServer, type HttpServerOptions, type HttpWarning } from './server.ts';
