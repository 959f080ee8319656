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
  for (const url of paths(route)) {
    scope.route({
      // Probes ask with HEAD. Node leaves the body of such an answer out.
      method: method === 'GET' && !own ? ['GET', 'HEAD'] : method,
      url,
      bodyLimit: route.bodyLimit ?? DEFAULT_BODY_LIMIT,
      onRequest: (request, reply, done) => {
        if (door.isNarrow && !whileStopping) return refuseStopping(reply);
        gate.pass(group, request, reply, 'raw' in by ? () => by.raw(request, reply) : done);
      },
      handler: 'raw' in by ? neverReached : by.handler,
    });
  }
}

/** Every path of a route, as requests are looked up: without a final slash (wire-target.ts). Each costs a start as much as a route does. */
const paths = ({ group, path, aliases = [] }: AnyRoute): ReadonlySet<string> =>
  new Set(
    [path, ...aliases].map((one) => prefixes[group] + one).map((one) => (one === '/' ? one : one.replace(/\/$/, ''))),
  );

/** Matches the paths below which a route of the table reads the rest. */
export function restsOf(routes: readonly AnyRoute[]): RegExp {
  const tops = routes
    .filter(({ path }) => path.endsWith('/*'))
    .map(({ group, path }) => prefixes[group] + path.slice(0, -1));
  const patterns = [...new Set(tops)].map((top) =>
    top
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]*' : RegExp.escape(part)))
      .join('/'),
  );
  // Of none, nothing.
  return new RegExp(`^(?:${patterns.join('|') || '(?!)'})`);
}
