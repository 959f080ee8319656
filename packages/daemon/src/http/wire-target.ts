/** The target of a request: as it was written, and as routes are found by it. */
import type { IncomingMessage } from 'node:http';

const SLASH = 0x2f;

/** The target as the client wrote it. Where routing needed another one, Fastify keeps the first. */
export const wireTarget = (request: IncomingMessage): string =>
  (request as { readonly originalUrl?: string }).originalUrl ?? request.url ?? '/';

/**
 * The target that the route is looked up by: a path and a query, whatever the form. Below a hook nothing is looked up, so what the
 * router could not decode there is left out. A final slash goes, but where `rests` says that the rest of a path is for its route to read:
 * upstream redirects to the other form of it, which Dify does not follow (docs/wire/http-api.md#server).
 * @param rests matches paths below which routes read the rest
 */
export function routingTarget(target: string, rests: RegExp): string {
  const path = pathAndQuery(target);
  const found = path.search(/[?#]/);
  const end = found < 0 ? path.length : found;
  if (end < 2 || path.charCodeAt(end - 1) !== SLASH) return path;
  const decoded = decodedPath(path.slice(0, end));
  // What cannot be decoded is no path of a route.
  return decoded === undefined || rests.test(decoded) ? path : path.slice(0, end - 1) + path.slice(end);
}

function pathAndQuery(target: string): string {
  const absolute = /^https?:\/\/[^/?#]*/i.exec(target);
  const rest = absolute === null ? target : target.slice(absolute[0].length);
  const path = rest.startsWith('/') || absolute === null ? rest : `/${rest}`;
  const hook = /^\/e\/[^/?#]*\//.exec(path);
  if (hook === null || decodedPath(path.split('?', 1)[0] ?? '') !== undefined) return path;
  return hook[0];
}

/** As the router reads it; undefined with an escape that is none, or bytes that are no UTF-8. */
function decodedPath(path: string): string | undefined {
  try {
    return decodeURI(path);
  } catch {
    return undefined;
  }
}
