/** Makes handlers of what the route tables say: binds the request, calls the route, and puts its answer into the envelope. */
import { Buffer } from 'node:buffer';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { RecordOf } from '@plugin-daemon/wire-schema';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { audited } from './audited.ts';
import { bindBody, bindExactly, bindGet, readQuery } from './binding.ts';
import { errorBody, JSON_TYPE, sendErrorRaw, successBody } from './envelope.ts';
import { EventsEndedInError, sendEvents } from './event-answer.ts';
import { readBody } from './raw-body.ts';
import type { AnyRoute, Call } from './route.ts';
import type { HttpServerOptions } from './server-options.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
/** Raw ones read and answer for themselves: they are called as soon as a request is let in, past all that a framework does for others. */
export type RouteHandler =
  | { readonly handler: Handler }
  | { readonly raw: (request: FastifyRequest, reply: FastifyReply) => void };

/** Of the body of a GET, which nobody sends but by mistake. */
const GET_BODY_LIMIT = 1024 * 1024;

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

export function ordinary(route: AnyRoute, options: HttpServerOptions): Handler {
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

export function eventful(route: AnyRoute, options: HttpServerOptions): Handler {
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
    if (route.method !== 'GET') {
      const body = Buffer.isBuffer(request.body) ? request.body : undefined;
      return route.exact === true ? bindExactly(type, body) : bindBody(type, contentType, body, query);
    }
    const hasBody =
      request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
    const body = hasBody ? await readBody(request.raw, GET_BODY_LIMIT) : undefined;
    return bindGet(type, query, route.queryAliases ?? {}, contentType, body);
  } catch (error) {
    const known = toDaemonError(error);
    throw new BindingError(known.kind, known.message, {
      ...(known.remedy !== undefined && { remedy: known.remedy }),
      cause: error,
    });
  }
}

export function raw(
  route: AnyRoute,
  options: HttpServerOptions,
): (request: FastifyRequest, reply: FastifyReply) => void {
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
