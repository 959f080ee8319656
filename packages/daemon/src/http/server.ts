import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import Fastify from 'fastify';
import { inNetworks } from './addresses.ts';
import { closeServers } from './closing.ts';
import { compressAnswer } from './compression.ts';
import { ConnectionLimits } from './connections.ts';
import { errorBody, JSON_TYPE, sendErrorRaw } from './envelope.ts';
import { Gate } from './gate.ts';
import { defaultLimits } from './limits.ts';
import { openNodeServer } from './node-server.ts';
import { eventful, ordinary, raw } from './route-handlers.ts';
import { addRoute, DEFAULT_BODY_LIMIT, type Door, restsOf } from './route-registration.ts';
import type { HttpServer, HttpServerOptions } from './server-options.ts';
import { routingTarget, wireTarget } from './wire-target.ts';

/** The one that nearly everybody sends. */
const JSON_MEDIA = 'application/json';
const MEDIA_TYPE = /^\s*[\w!#$%&'*.^`|~+-]+\/[\w!#$%&'*.^`|~+-]+\s*(?:;|$)/;
const NOT_FOUND = '{"code":"not_found","message":"route not found"}';

function noSchemas(): never {
  throw new Error('routes are described by records, not by schemas of the framework');
}

/** Builds the server from the route tables. */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const isProxy = inNetworks(options.trustedProxies ?? []);
  const rests = restsOf(options.routes);
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
    rewriteUrl: ({ url = '/' }) => routingTarget(url, rests),
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
    async close(signal, served) {
      await closeServers({ server: app.server, nodeServer, app, signal, served });
    },
  };
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

/** Errors that Fastify raises itself, in our terms. */
function describe(error: unknown): DaemonError {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
  const text = messageOf(error);
  if (status === 413) return new DaemonError('too-large', text);
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new DaemonError('bad-request', text, { status });
  return toDaemonError(error);
}
