/**
 * The dispatch routes: one for each row of the action table, below `/plugin/:tenant_id/dispatch` and `/v2/invoke/dispatch`
 * (docs/wire/http-api.md#dispatch). Finds the installation, opens the session, answers with SSE or JSON. Called by the server's route
 * table.
 */
import type { ServerResponse } from 'node:http';
import { isDirect } from '@plugin-daemon/plugin-host/actions';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { answerSchemaOf, type RecordType } from '@plugin-daemon/wire-schema';
import type { FastifyRequest } from 'fastify';
import {
  type ActionSpec,
  dispatchActions,
  dispatchBody,
  type Invocations,
  readDispatchBody,
  type Session,
  type SessionFailure,
  type SessionOutput,
  type WaitingCaller,
} from '../../invocation/index.ts';
import type { Placement, Routing } from '../../routing/index.ts';
import { assertValid, isJson, parseJsonBody } from '../binding.ts';
import { errorBody, JSON_TYPE, sendErrorRaw, successBody } from '../envelope.ts';
import { handOver, type NodeCalls } from '../handover.ts';
import { readBody } from '../raw-body.ts';
import { type AnyRoute, RawJson, type Route } from '../route.ts';
import { failureBody, SseResponse } from './sse-response.ts';

export interface DispatchDependencies {
  readonly invocations: Invocations;
  readonly routing: Pick<Routing, 'find' | 'withIdentifier'>;
  /** The other nodes; absent while there can be none. */
  readonly nodes?: NodeCalls | undefined;
  readonly maxBodyBytes: number;
  readonly maxWaitingBytes: number;
  /** What waits for all readers in memory. */
  readonly waitingInMemory: ByteBudget;
  readonly spillDirectory: string;
  /** `traceparent` for outgoing calls of this request. */
  readonly traceparent: (request: FastifyRequest) => string;
  /** Around every dispatch, for the health figures. */
  readonly onStart: () => void;
  readonly onEnd: () => void;
  /** The client has left before the answer was complete, after so many milliseconds. */
  readonly onLeft: (request: FastifyRequest, response: ServerResponse, ms: number) => void;
}

export function dispatchRoutes(dependencies: DispatchDependencies): readonly AnyRoute[] {
  return dispatchActions.flatMap((action) => {
    const body = dispatchBody(action);
    const onPlugin = route(action, 'plugin', `/dispatch${action.path}`, body, dependencies);
    return isDirect(action)
      ? [onPlugin, route(action, 'direct', `/dispatch${action.path}`, body, dependencies)]
      : [onPlugin];
  });
}

function route(
  action: ActionSpec,
  group: 'plugin' | 'direct',
  path: string,
  body: RecordType,
  dependencies: DispatchDependencies,
): AnyRoute {
  const spec: Route<never> = {
    method: 'POST',
    group,
    path,
    operationId: operationId(action, group),
    tag: group === 'plugin' ? 'Dispatch' : 'Direct invocation',
    summary: action.summary,
    description: replies[action.reply],
    headers:
      group === 'plugin'
        ? { 'X-Plugin-ID': 'The installed plugin, `author/name`.' }
        : { 'X-Plugin-Unique-Identifier': 'The plugin, `author/name:version@checksum`; installed or not.' },
    produces: action.reply === 'json' ? 'application/json' : 'text/event-stream',
    bodyLimit: dependencies.maxBodyBytes,
    errorStatus: 'kind',
    handleRaw: async ({ request, params }, reply) => {
      dependencies.onStart();
      reply.raw.once('close', dependencies.onEnd);
      // Before anything of the body is read: a call for another place need not be kept here.
      const { nodes, routing } = dependencies;
      const handed = nodes?.received(request.raw) !== undefined;
      const found =
        group === 'plugin'
          ? await placementOf(request, params.tenant_id ?? '', routing, handed)
          : await routing.withIdentifier(headerIdentifier(request), handed);
      const placement =
        found.where.at === 'node'
          ? await handOver(nodes, found, {
              request: request.raw,
              response: reply.raw,
              client: request.ip,
              traceparent: dependencies.traceparent(request),
              lastWords: (error) => `data: ${errorBody(error)}\n\n`,
            })
          : found;
      if (placement === undefined) return;
      await dispatch(
        action,
        body,
        placement,
        group === 'plugin' ? params.tenant_id : undefined,
        request,
        reply.raw,
        dependencies,
      );
    },
  };
  return {
    ...spec,
    request: body,
    // For the description alone, which few ask for.
    get data() {
      return { title: `${capital(camelCase(action.action))}Answer`, ...answerSchemaOf(action.answer.record) };
    },
  };
}

/** How much comes back, for the description. */
const replies: Readonly<Record<ActionSpec['reply'], string>> = {
  stream: 'As many events as the plugin has to say.',
  one: 'One event is the answer: take it and leave.',
  json: 'One envelope, no stream.',
};

function operationId(action: ActionSpec, group: 'plugin' | 'direct'): string {
  const name = camelCase(action.action);
  return group === 'plugin' ? name : `direct${capital(name)}`;
}

const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

async function placementOf(
  request: FastifyRequest,
  tenantId: string,
  routing: DispatchDependencies['routing'],
  handed: boolean,
): Promise<Placement> {
  const pluginId = request.headers['x-plugin-id'];
  if (typeof pluginId !== 'string' || pluginId === '') throw new DaemonError('bad-request', 'plugin_id is required');
  const known = routing.find(tenantId, pluginId, handed);
  const placement = known instanceof Promise ? await known : known;
  if (placement === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  // Transient, in the words that Dify takes as "try again".
  if (placement === 'away') throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
  return placement;
}

function headerIdentifier(request: FastifyRequest): string {
  const identifier = request.headers['x-plugin-unique-identifier'];
  if (typeof identifier !== 'string' || identifier === '')
    throw new DaemonError('bad-request', 'X-Plugin-Unique-Identifier header is required');
  if (!isUniqueIdentifier(identifier))
    throw new DaemonError('identifier-invalid', `plugin_unique_identifier is not valid: ${identifier}`);
  return identifier;
}

/** How long a faulty request waits for its plugin to start. */
const LOOK_MS = 5000;

async function dispatch(
  action: ActionSpec,
  type: RecordType,
  placement: Placement,
  tenantId: string | undefined,
  request: FastifyRequest,
  response: ServerResponse,
  dependencies: DispatchDependencies,
): Promise<void> {
  const bytes = await readBody(request.raw, dependencies.maxBodyBytes, 'MAX_DISPATCH_BODY_BYTES');
  const text = bytes.toString('utf8');
  const parsed = isJson(request.headers['content-type']) ? parseJsonBody(text) : undefined;
  const body = readDispatchBody(action, parsed, text, tenantId);
  try {
    assertValid(type, body.value);
  } catch (error) {
    // Calls by identifier look for the plugin first (docs/wire/http-api.md#direct-calls); for good ones, opening the session does.
    if (tenantId !== undefined) throw error;
    const looked: unknown = await dependencies.invocations
      .requireRunning(placement, AbortSignal.timeout(LOOK_MS))
      .catch((reason: unknown) => reason);
    throw looked instanceof DaemonError && looked.kind === 'not-routable' ? looked : error;
  }
  if (parsed === undefined) throw new DaemonError('bad-request', 'the request body is not valid JSON');
  const { envelope, data } = body.finish();

  const caller = new Caller(request, response, dependencies.onLeft);
  const output: SessionOutput =
    action.reply === 'json'
      ? new JsonAnswer(response)
      : new SseResponse(response, {
          maxWaitingBytes: dependencies.maxWaitingBytes,
          memory: dependencies.waitingInMemory,
          spillDirectory: dependencies.spillDirectory,
          onOverflow: (error) => caller.fail(error),
        });
  const call = {
    action,
    placement,
    anew:
      tenantId === undefined
        ? undefined
        : () => dependencies.routing.find(tenantId, String(request.headers['x-plugin-id']), true),
    envelope,
    data,
    traceparent: () => dependencies.traceparent(request),
    caller,
  };
  try {
    const session = await dependencies.invocations.open(call, output);
    if (!response.headersSent) response.setHeader('X-Plugin-Session-Id', session.id);
    caller.waitsFor(session);
  } catch (error) {
    if (caller.left) return;
    const known = toDaemonError(error);
    // Once the plugin was found, failures are answered as events (docs/wire/http-api.md#server-sent-events).
    if (known.kind === 'internal' && action.reply !== 'json') output.fail({ from: 'daemon', error: known });
    else throw known;
  }
}

/** Who waits for an answer: while a session is looked for, and then for what it says. */
class Caller implements WaitingCaller {
  readonly #request: FastifyRequest;
  readonly #response: ServerResponse;
  readonly #onLeft: DispatchDependencies['onLeft'];
  readonly #since = performance.now();
  #session: Session | undefined;
  /** Made for those who wait: most calls are let through at once. */
  #leaving: AbortController | undefined;
  #left = false;

  constructor(request: FastifyRequest, response: ServerResponse, onLeft: DispatchDependencies['onLeft']) {
    this.#request = request;
    this.#response = response;
    this.#onLeft = onLeft;
    response.once('close', () => this.#closed());
  }

  get left(): boolean {
    return this.#left;
  }

  get signal(): AbortSignal {
    this.#leaving ??= new AbortController();
    if (this.#left) this.#leaving.abort(new Error('the client left'));
    return this.#leaving.signal;
  }

  waitsFor(session: Session): void {
    this.#session = session;
    if (this.#left || this.#response.destroyed) session.leave();
  }

  /** The answer cannot be given. */
  fail(error: DaemonError): void {
    if (this.#session === undefined) sendErrorRaw(this.#response, error);
    else this.#session.abort(error);
  }

  #closed(): void {
    if (this.#response.writableFinished) return;
    this.#left = true;
    this.#leaving?.abort(new Error('the client left'));
    this.#session?.leave();
    this.#onLeft(this.#request, this.#response, performance.now() - this.#since);
  }
}

/**
 * Polling: the last message before the end is the answer; failures are typed and come with 200, as Dify needs them
 * (docs/wire/http-api.md#what-dify-needs).
 */
class JsonAnswer implements SessionOutput {
  readonly #response: ServerResponse;
  #last: string | undefined;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  chunk(json: string): void {
    this.#last = json;
  }

  flush(): void {}

  end(): void {
    if (this.#last === undefined) {
      const text = JSON.stringify({
        error_type: 'PluginInvokeError',
        message: 'no polling result received from plugin',
        args: {},
      });
      return this.#send(failureBody({ from: 'daemon', error: new DaemonError('plugin-invoke', text) }));
    }
    this.#send(successBody(new RawJson(Buffer.from(this.#last, 'latin1'))));
  }

  fail(failure: SessionFailure): void {
    this.#send(failureBody(failure));
  }

  #send(body: string | Buffer): void {
    if (this.#response.destroyed) return;
    const bytes = Buffer.from(body);
    this.#response.writeHead(200, { 'Content-Type': JSON_TYPE, 'Content-Length': bytes.length });
    this.#response.end(bytes);
  }
}
