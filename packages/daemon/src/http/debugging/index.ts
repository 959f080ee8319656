/** Routes of the debugging keys (http-api §10). Binds and answers; runtimes/debugging keeps the keys. */
export { type DebuggingRoutesDeps, debuggingRoutes } from './routes.ts';
