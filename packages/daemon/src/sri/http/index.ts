/** The HTTP side of the SRI: its routes as tables, keys, the streaming of launches and calls. Knows nothing of back ends. */
export { functionRoutes } from './function-routes.ts';
export { interfaceRoutes } from './interface-routes.ts';
export { SriServer } from './server.ts';
export { stateRoutes } from './state-routes.ts';
