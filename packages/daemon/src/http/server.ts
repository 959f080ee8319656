import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import type { RecordOf } from '@plugin-daemon/wire-schema';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { inNetworks } from './addresses.ts';
import { audited, type HttpAuditEvent } from './audited.ts';
import { bindBody, bindGet, readQuery } from './binding.ts';
import { compressAnswer } from './compression.ts';
import { ConnectionLimits } from './connections.ts';
import { errorBody, JSON_TYPE, sendErrorRaw, successBody } from './envelope.ts';
import { EventsEndedInError, sendEvents } from './event-answer.ts';
import { Gate } from './gate.ts';
import { defaultLimits, type HttpLimits } from './limits.ts';
import { type NodeListening, openNodeServer } from './node-server.ts';
import { readBody } from './raw-body.ts';
import type { AnyRoute, Call, RouteGroup } from './route.ts';
import { routingTarget, wireTarget } from './wire-target.ts';

export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Names of the settings of both, for the remedy when the address is taken. */
  readonly setting?: { readonly host: string; readonly port: string };
  /** Value of X-Api-Key. */
  readonly serverKey: string;
  /** Value of X-Admin-Api-Key; without it the admin group admits nobody. */
  readonly adminKey?: string;
  /** Former values of both, accepted until every caller has the new ones. */
  readonly formerServerKey?: string;
  readonly formerAdminKey?: string;
  /** A key that opens the details group alone. */
  readonly detailsKey?: string;
  /** Whether the details group asks for a key at all; default no. */
  readonly detailsNeedKey?: boolean;
  readonly limits?: Partial<HttpLimits>;
  /** Addresses and networks of proxies in front, whose X-Forwarded-For counts. */
  readonly trustedProxies?: readonly string[];
  /** Called for changes made through routes that are marked for the audit log. */
  readonly onAudit?: (event: HttpAuditEvent) => void;
  readonly onWarning?: (warning: HttpWarning, address: string) => void;
  readonly routes: readonly AnyRoute[];
  /** Other nodes of the same deployment. */
  readonly nodes?: HttpNodes | undefined;
  /** Called when an answer is complete, with the route's pattern (`''` for unknown routes). */
  readonly onFinished: (request: FastifyRequest, reply: FastifyReply, pattern: string) => void;
  /** Called with errors that are nobody's fault outside: they become a 500 and belong into the log. */
  readonly onFault: (error: unknown, request: FastifyRequest) => void;
}

/** What the server does for, and about, other nodes. */
export interface HttpNodes {
  /** Looks at a request as it arrives. @returns false when it was refused, and answered */
  receive(request: IncomingMessage, response: ServerResponse, target: string): boolean;
  isFromNode(request: IncomingMessage): boolean;
  /** The address of the client whose request another node has handed over. */
  clientOf(request: IncomingMessage): string | undefined;
  /** What has to be made up for before any request is answered. */
  catchUp(): Promise<void> | undefined;
  /** Clients should come with their next request to another node. */
  readonly leaving: boolean;
}

/** What the operator should hear of: an address that is not listened to for now, connections refused, a former key in use. */
export type HttpWarning = 'blocked' | 'too-many-connections' | 'too-many-of-address' | 'former-key';

export interface HttpServer {
  /** Starts listening; resolves to the address in use. */
  listen(): Promise<AddressInfo>;
  /** Listens for other nodes on a port of its own; closed with the rest. */
  listenForNodes(listening: NodeListening): Promise<AddressInfo>;
  /** From now on only what open calls need is served; everything else is refused, and its connection closed. */
  narrow(): void;
  /**
   * Stops accepting, lets open requests finish until `signal` aborts, then cuts them.
   * @param served called when clients have their answers; other nodes are served until it resolves
   */
  close(signal: AbortSignal, served?: () => Promise<void>): Promise<void>;
  /** For tests that need no socket. */
  readonly app: FastifyInstance;
}

const MIB = 1024 * 1024;
/** The one that nearly everybody sends. */
const JSON_MEDIA = 'application/json';
const MEDIA_TYPE = /^\s*[\w!#$%&'*.^`|~+-]+\/[\w!#$%&'*.^`|~+-]+\s*(?:;|$)/;
const DEFAULT_BODY_LIMIT = 8 * MIB;
/** How often, while stopping, connections without a request are closed. */
const IDLE_LOOK_MS = 100;
/** How long, while stopping, the first request of the connections that were let in last may take to arrive. */
const FIRST_REQUEST_MS = 500;
const NOT_FOUND = '{"code":"not_found","message":"route not found"}';
const prefixes: Readonly<Record<RouteGroup, string>> = {
  plugin: '/plugin/:tenant_id',
  direct: '/v2/invoke',
  admin: '/admin',
  details: '',
  probe: '',
  public: '',
};

function noSchemas(): never {
  throw new Error('routes are described by records, not by schemas of the framework');
}

/** Builds the server from the route tables. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const isProxy = inNetworks(options.trustedProxies ?? []);
  const app = Fastify({
    // Dify's pool keeps idle connections for 5 s; ours must outlive them (docs/wire/http-api.md#server). Only what a request takes to
    // arrive is limited.
    keepAliveTimeout: 120_000,
    requestTimeout: Math.max(limits.requestMs, limits.headMs),
    http: {
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMs,
      connectionsCheckingInterval: Math.min(5000, limits.headMs),
    },
    // Without proxies the address is that of the connection, and nothing has to be worked out.
    trustProxy: options.trustedProxies === undefined || options.trustedProxies.length === 0 ? false : isProxy,
    forceCloseConnections: false,
    // Who was let in before the end is answered.
    return503OnClosing: false,
    exposeHeadRoutes: false,
    bodyLimit: DEFAULT_BODY_LIMIT,
    routerOptions: { maxParamLength: 8192, caseSensitive: true, ignoreTrailingSlash: false },
    // Routes have no schemas of the framework's kind: without these it would load a compiler for each sort of them.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    rewriteUrl: ({ url = '/' }) => routingTarget(url),
    // A path that no route can have; the framework's own answer would repeat all of it.
    frameworkErrors: (_error, _request, reply) => {
      reply.hijack();
      reply.raw.writeHead(404, { 'Content-Type': JSON_TYPE, 'Content-Length': NOT_FOUND.length }).end(NOT_FOUND);
    },
    logger: false,
  });
  const { onWarning, setting = { host: 'SERVER_HOST', port: 'SERVER_PORT' } } = options;
  const connections = new ConnectionLimits({
    total: limits.connections,
    strangersOfAddress: limits.strangersOfAddress,
    publicRequestsOfAddress: limits.publicRequestsOfAddress,
    isProxy,
    onRefused: (reason, address) =>
      onWarning?.(reason === 'total' ? 'too-many-connections' : 'too-many-of-address', address),
  });
  connections.watch(app.server);
  const door: Door = { isNarrow: false };
  const gate = new Gate({
    keys: {
      server: [options.serverKey, options.formerServerKey],
      admin: [options.adminKey, options.formerAdminKey],
      details: [options.detailsKey],
      detailsOpen: options.detailsNeedKey !== true,
    },
    connections,
    failedAttemptsPerMinute: limits.failedAttemptsPerMinute,
    ...(options.nodes !== undefined && { isFromNode: ({ raw }) => options.nodes?.isFromNode(raw) === true }),
    onBlocked: (address) => onWarning?.('blocked', address),
    onFormerKey: (address) => onWarning?.('former-key', address),
  });
  gate.watch(app);
  const { nodes } = options;
  if (nodes !== undefined) {
    app.addHook('onRequest', (request, reply, done) => {
      // Done with by the answer: a refusal goes no further.
      if (!nodes.receive(request.raw, reply.raw, wireTarget(request.raw))) return void reply.hijack();
      const client = nodes.clientOf(request.raw);
      // Audit, log and limits go by the client, wherever it came in.
      if (client !== undefined) Object.defineProperty(request, 'ip', { value: client });
      if (nodes.leaving && !nodes.isFromNode(request.raw)) reply.raw.shouldKeepAlive = false;
      const missed = nodes.catchUp();
      if (missed === undefined) done();
      else missed.then(() => done(), done);
    });
  }
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    // Fastify refuses what is no media type; for upstream it is one that binds nothing (docs/wire/http-api.md#binding).
    const type = headers['content-type'];
    if (type !== undefined && type !== JSON_MEDIA && !MEDIA_TYPE.test(type))
      headers['content-type'] = 'application/octet-stream';
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    options.onFinished(request, reply, request.is404 ? '' : (request.routeOptions.url ?? ''));
    done();
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).type(JSON_TYPE).send(NOT_FOUND));
  app.setErrorHandler((error, request, reply) => {
    const known = describe(error);
    if (known.kind === 'internal') options.onFault(error, request);
    if (known.kind === 'too-large') {
      reply.hijack();
      return sendErrorRaw(reply.raw, known);
    }
    return reply.code(known.status).type(JSON_TYPE).send(errorBody(known));
  });
  await app.register(async (scope) => {
    scope.addHook('onSend', compressAnswer);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    for (const route of options.routes)
      if (route.handle !== undefined)
        addRoute(scope, route, options.routes, gate, door, { handler: ordinary(route, options) });
      else if (route.handleEvents !== undefined)
        addRoute(scope, route, options.routes, gate, door, { handler: eventful(route, options) });
  });
  for (const route of options.routes)
    if (route.handleRaw !== undefined) addRoute(app, route, options.routes, gate, door, { raw: raw(route, options) });

  let nodeServer: Server | undefined;
  return {
    app,
    async listenForNodes(listening) {
      await app.ready();
      nodeServer = await openNodeServer(listening, app.routing, limits);
      return addressOf(nodeServer);
    },
    async listen() {
      try {
        await app.listen({ host: options.host, port: options.port });
      } catch (cause) {
        throw new DaemonError('internal', `cannot listen on ${options.host}:${options.port}: ${reasonOf(cause)}`, {
          cause,
          remedy: `Free the port, or choose another address with ${setting.host} and ${setting.port}`,
        });
      }
      return addressOf(app.server);
    },
    narrow() {
      door.isNarrow = true;
    },
    async close(signal, served = async () => undefined) {
      const servers = [app.server, ...(nodeServer === undefined ? [] : [nodeServer])];
      const cut = () => servers.forEach((server) => void server.closeAllConnections());
      if (signal.aborted) cut();
      else signal.addEventListener('abort', cut, { once: true });
      await nobodyWaits(servers);
      const end = async (server: Server | undefined): Promise<void> => {
        if (server === undefined) return;
        const ended = server.listening ? once(server, 'close') : undefined;
        // Not yet the close of HTTP servers, which ends connections whose first request is still on its way.
        NetServer.prototype.close.call(server);
        await ended;
        server.close();
      };
      const ended = end(app.server).then(served);
      // A connection that a client keeps after its last answer would hold the end up.
      const closeIdle = () => servers.forEach((server) => void server.closeIdleConnections());
      let idle: NodeJS.Timeout | undefined;
      const arriving = setTimeout(() => {
        closeIdle();
        idle = setInterval(closeIdle, IDLE_LOOK_MS);
      }, FIRST_REQUEST_MS);
      try {
        await ended;
        await end(nodeServer);
        await app.close();
      } finally {
        clearTimeout(arriving);
        clearInterval(idle);
        signal.removeEventListener('abort', cut);
      }
    },
  };
}

/** How long it may take to let everybody in who stands before a server that closes. */
const LAST_ONES_MS = 500;

/**
 * Resolves at a moment when nobody waits to be let in: the system resets the connections that it has taken and nobody has accepted, and
 * each turn of the event loop accepts one.
 */
async function nobodyWaits(servers: readonly Server[]): Promise<void> {
  let came = 0;
  const count = (): void => void came++;
  for (const server of servers) server.on('connection', count);
  const until = performance.now() + LAST_ONES_MS;
  for (let before = -1, quiet = 0; quiet < 2 && performance.now() < until; before = came) {
    await new Promise(setImmediate);
    quiet = came === before ? quiet + 1 : 0;
  }
  for (const server of servers) server.off('connection', count);
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the HTTP server has no address');
  return address;
}

function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'the port is in use by another program';
  return messageOf(error);
}

/** What is let in while the daemon stops. */
interface Door {
  isNarrow: boolean;
}

function refuseStopping(reply: FastifyReply): void {
  const error = new DaemonError('unavailable', 'no available node: the daemon is stopping');
  reply.header('Connection', 'close').code(error.status).type(JSON_TYPE).send(errorBody(error));
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
/** Raw ones read and answer for themselves: they are called as soon as a request is let in, past all that a framework does for others. */
type RouteHandler =
  | { readonly handler: Handler }
  | { readonly raw: (request: FastifyRequest, reply: FastifyReply) => void };

const neverReached: Handler = async () => undefined;

function addRoute(
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

/** A class for its getter: in an object literal it would be a function for each call, which the engine keeps until a full collection. */
class HttpCall implements Call<never> {
  readonly tenantId: string;
  readonly params: Readonly<Record<string, string>>;
  readonly input: never;
  readonly request: FastifyRequest;
  readonly #reply: FastifyReply;
  #left: AbortController | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, input: unknown) {
    // Of the route's pattern: the router knows nothing but texts.
    this.params = request.params as Readonly<Record<string, string>>;
    this.tenantId = this.params.tenant_id ?? '';
    // The input's type was erased in the table; it is what the route's own record decodes to.
    this.input = input as never;
    this.request = request;
    this.#reply = reply;
  }

  header(name: string, value: string): void {
    this.#reply.header(name, value);
  }

  // Made when it is asked for: the busiest routes watch the response themselves.
  get signal(): AbortSignal {
    this.#left ??= leavingSignal(this.#reply);
    return this.#left.signal;
  }
}

function leavingSignal(reply: FastifyReply): AbortController {
  const left = new AbortController();
  const leave = () => {
    if (!reply.raw.writableFinished) left.abort(new Error('the client left'));
  };
  if (reply.raw.destroyed) leave();
  else reply.raw.once('close', leave);
  return left;
}

function ordinary(route: AnyRoute, options: HttpServerOptions): Handler {
  return async (request, reply) => {
    try {
      const input = route.request === undefined ? undefined : await bind(route, request);
      const call = new HttpCall(request, reply, input);
      // Audited where the client came in.
      const onAudit = options.nodes?.isFromNode(request.raw) === true ? undefined : options.onAudit;
      const data = await audited(route, call, onAudit, () => route.handle?.(call));
      return reply.type(JSON_TYPE).send(successBody(data));
    } catch (error) {
      const known = toDaemonError(error);
      if (known.kind === 'internal') options.onFault(error, request);
      const status = error instanceof BindingError || route.errorStatus === 'kind' ? known.status : 200;
      return reply.code(status).type(JSON_TYPE).send(errorBody(known));
    }
  };
}

function eventful(route: AnyRoute, options: HttpServerOptions): Handler {
  return async (request, reply) => {
    try {
      const call = new HttpCall(request, reply, route.request === undefined ? undefined : await bind(route, request));
      await audited(route, call, options.onAudit, () => {
        const events = route.handleEvents?.(call);
        if (events === undefined) throw new Error('a route without events');
        reply.hijack();
        return sendEvents(events, reply, call.signal);
      });
    } catch (error) {
      // Both sides know already.
      if (error instanceof EventsEndedInError || reply.raw.destroyed) return;
      const known = toDaemonError(error);
      if (known.kind === 'internal') options.onFault(error, request);
      if (reply.raw.headersSent) return void reply.raw.destroy();
      return reply.code(known.status).type(JSON_TYPE).send(errorBody(known));
    }
  };
}

/** Marks errors of the binding, which keep their HTTP status. */
class BindingError extends DaemonError {}

async function bind(route: AnyRoute, request: FastifyRequest): Promise<unknown> {
  // The record's value type was erased in the table; binding needs only its description.
  const type = route.request as RecordOf<unknown>;
  const contentType = request.headers['content-type'];
  try {
    const at = request.url.indexOf('?');
    const query = readQuery(at < 0 ? '' : request.url.slice(at + 1));
    if (route.method !== 'GET')
      return bindBody(type, contentType, Buffer.isBuffer(request.body) ? request.body : undefined, query);
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const body = hasBody ? await readBody(request.raw, MIB) : undefined;
    return bindGet(type, query, route.queryAliases ?? {}, contentType, body);
  } catch (error) {
    const known = toDaemonError(error);
    throw new BindingError(known.kind, known.message, {
      ...(known.remedy !== undefined && { remedy: known.remedy }),
      cause: error,
    });
  }
}

function raw(route: AnyRoute, options: HttpServerOptions): (request: FastifyRequest, reply: FastifyReply) => void {
  const failed = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = toDaemonError(error);
    if (known.kind === 'internal') options.onFault(error, request);
    if (reply.raw.headersSent) reply.raw.destroy();
    else sendErrorRaw(reply.raw, known, route.errorStatus === 'kind' ? known.status : 200);
  };
  return (request, reply) => {
    reply.hijack();
    route
      .handleRaw?.(new HttpCall(request, reply, undefined), reply)
      .catch((error: unknown) => failed(error, request, reply));
  };
}

/** Errors that Fastify raises itself, in our terms. */
function describe(error: unknown): DaemonError {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  const text = messageOf(error);
  if (status === 413) return new DaemonError('too-large', text);
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new DaemonError('bad-request', text, { status });
  return toDaemonError(error);
}
