/**
 * Routes of endpoint management, `/plugin/:tenant_id/endpoint/*` (http-api §8). Binds and answers; the rules stand in endpoints/.
 */
export { type EndpointRoutesDeps, endpointRoutes } from './routes.ts';
