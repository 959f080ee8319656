/** Routes of the debugging keys (docs/wire/http-api.md#debugging-keys). Binds and answers; runtimes/debugging keeps the keys. */
export { type DebuggingRoutesDeps, debuggingRoutes } from './routes.ts';
