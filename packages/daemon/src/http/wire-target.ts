/** The target of a request: as it was written, and as routes are found by it. */
import type { IncomingMessage } from 'node:http';

/** The target as the client wrote it. Where routing needed another one, Fastify keeps the first. */
export const wireTarget = (request: IncomingMessage): string =>
  (request as { readonly originalUrl?: string }).originalUrl ?? request.url ?? '/';

/**
 * The target that the route is looked up by: a path and a query, whatever the form. Below a hook nothing is looked up, so what the
 * router could not decode there is left out.
 */
export function routingTarget(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  const path = rest.startsWith('/') || absolute === null ? rest : `/${rest}`;
  const hook = /^\/e\/[^/?#]*\//.exec(path);
  if (hook === null || isDecodable(path)) return path;
  return hook[0];
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path.split('?', 1)[0] ?? '');
    return true;
  } catch {
    // An escape that is none, or bytes that are no UTF-8.
    return false;
  }
}
