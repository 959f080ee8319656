/** Enters the route tables into the router: every spelling of a path, and what lets a request in. */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { errorBody, JSON_TYPE } from './envelope.ts';
import type { Gate } from './gate.ts';
import type { AnyRoute, RouteGroup } from './route.ts';
import type { RouteHandler } from './route-handlers.ts';

export const DEFAULT_BODY_LIMIT = 8 * 1024 * 1024;
const prefixes: Readonly<Record<RouteGroup, string>> = {
  plugin: '/plugin/:tenant_id',
  direct: '/v2/invoke',
  admin: '/admin',
  details: '',
  probe: '',
  public: '',
};

/** What is let in while the daemon stops. */
export interface Door {
  isNarrow: boolean;
}

function refuseStopping(reply: FastifyReply): void {
  const error = new DaemonError('unavailable', 'no available node: the daemon is stopping');
  reply.header('Connection', 'close').code(error.status).type(JSON_TYPE).send(errorBody(error));
}

const neverReached = async (): Promise<unknown> => undefined;

export function addRoute(
  scope: FastifyInstance,
  route: AnyRoute,
  all: readonly AnyRoute[],
  gate: Gate,
  door: Door,
  by: RouteHandler,
): void {
  const { method, group, whileStopping = false } = route;
  const own = all.some((other) => other.method === 'HEAD' && other.group === group && other.path === route.path);
  for (const path of spellings(route, all)) {
    scope.route({
      // Probes ask with HEAD. Node leaves the body of such an answer out.
      method: method === 'GET' && !own ? ['GET', 'HEAD'] : method,
      url: prefixes[group] + path,
      bodyLimit: route.bodyLimit ?? DEFAULT_BODY_LIMIT,
      onRequest: (request, reply, done) => {
        if (door.isNarrow && !whileStopping) return refuseStopping(reply);
        gate.pass(group, request, reply, 'raw' in by ? () => by.raw(request, reply) : done);
      },
      handler: 'raw' in by ? neverReached : by.handler,
    });
  }
}

/**
 * Every path of a route: upstream redirects to the other form of a trailing slash, which Dify does not follow
 * (docs/wire/http-api.md#server).
 */
function spellings({ path, aliases = [] }: AnyRoute, all: readonly AnyRoute[]): ReadonlySet<string> {
  const given = [path, ...aliases];
  const other = (one: string): string => (one.endsWith('/') ? one.slice(0, -1) : `${one}/`);
  // A route for the rest of a path has the empty rest too.
  const isTaken = (one: string): boolean => all.some((route) => route.path === `${one}*`);
  const others = given.filter((one) => !one.endsWith('*') && one !== '/').map(other);
  return new Set([...given, ...others.filter((one) => !isTaken(one))]);
}
