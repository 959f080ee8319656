/**
 * Routes of endpoint management, `/plugin/:tenant_id/endpoint/*` (docs/wire/http-api.md#endpoint-management). Binds and answers; the rules
 * stand in endpoints/.
 */
export { type EndpointRoutesDeps, endpointRoutes } from './routes.ts';
