import { type AnyRoute, route } from '../route.ts';
import { openApiDocument } from './document.ts';
import { page } from './page/index.ts';

const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Serves the description of these routes and of itself, and leads from `/` there.
 * @param needsKey whether strangers may not read it; then `/` leads to what they may
 */
export function descriptionRoutes(routes: readonly AnyRoute[], needsKey = false): readonly AnyRoute[] {
  let text: Buffer | undefined;
  const own: readonly AnyRoute[] = [
    route({
      method: 'GET',
      group: 'public',
      path: '/',
      operationId: 'getStart',
      tag: 'Description',
      summary: 'Leads to the page to read, or to the health answer where that page needs a key.',
      produces: 'text/plain',
      handleRaw: async (_call, reply) => {
        // Relative: behind a proxy the prefix stays.
        reply.raw.writeHead(302, { Location: needsKey ? 'health/check' : 'docs', 'Content-Length': 0 }).end();
      },
    }),
    route({
      method: 'GET',
      group: 'details',
      path: '/openapi.json',
      operationId: 'getOpenApiDocument',
      tag: 'Description',
      summary: 'This document.',
      body: { type: 'object', additionalProperties: true },
      handleRaw: async (_call, reply) => {
        text ??= Buffer.from(JSON.stringify(openApiDocument([...routes, ...own])));
        reply.raw
          .writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': text.length })
          .end(text);
      },
    }),
    route({
      method: 'GET',
      group: 'details',
      path: '/docs',
      operationId: 'getDocumentationPage',
      tag: 'Description',
      summary: 'This document as a page to read.',
      produces: 'text/html',
      handleRaw: async (_call, reply) => {
        const body = Buffer.from(page);
        reply.raw
          .writeHead(200, {
            'Content-Type': 'text/html; charset=utf-8',
            'Content-Length': body.length,
            'Content-Security-Policy': policy,
          })
          .end(body);
      },
    }),
  ];
  return own;
}
