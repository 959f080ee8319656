/**
 * Several daemons on one PostgreSQL, one Redis and one store, and callers that reach them as through a balancer. Owns what it starts, all of
 * it thrown away afterwards. Used by the measurement of nodes and by the outages.
 */
export { Balancer } from './balancer.ts';
export { type Called, Callers } from './callers.ts';
export { Deployment, type DeploymentOptions, type Settings, type StoreKind } from './deployment.ts';
