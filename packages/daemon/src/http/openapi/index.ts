/**
 * The description of the API: an OpenAPI 3.1 document made from the route tables, and a page that shows it.
 *
 * Knows routes as data and calls none of them. compose/ asks for the routes that serve the description of what it wired, docs.ts
 * for the document of all tables, from which clients are generated. What a route answers is said in its table, never here.
 */
export { describedRoutes } from './described-routes.ts';
export { type OpenApiDocument, openApiDocument, pathOf } from './document.ts';
export { descriptionRoutes } from './routes.ts';
