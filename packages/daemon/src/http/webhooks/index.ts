/**
 * Webhooks: `/e/:hook_id/*` (docs/wire/http-api.md#webhooks). Owns the translation between HTTP and what an endpoint plugin exchanges: the
 * raw text of the request on the way in, status, headers and body parts on the way out. Touches the raw request and response; the plugin is
 * reached through the session it is given. Called by the HTTP server with the table below.
 */
export type { WebhookDeps } from './call.ts';
export { webhookFailureRoutes } from './failure-routes.ts';
export { RecentFailures } from './recent-failures.ts';
export { webhookRoutes } from './routes.ts';
export { droppedHeaders, proxyOrders } from './shared-origin.ts';
