import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyRequest } from 'fastify';
import type { Database, EndpointRecord } from '../../database/index.ts';
import { type EndpointService, endpointConfigOf } from '../../endpoints/index.ts';
import { type Invocations, invokeEndpoint, type Session } from '../../invocation/index.ts';
import type { Placement, Routing } from '../../routing/index.ts';
import { TraceContext } from '../../telemetry/index.ts';
import { sendErrorRaw } from '../envelope.ts';
import { handOver, isSecure, type NodeCalls } from '../handover.ts';
import { wireTarget } from '../wire-target.ts';
import { type FailedCall, type FailureLog, outward } from './failure.ts';
import { rawHead } from './raw-request.ts';
import { type Body, readBody } from './read-body.ts';
import type { RecentFailures } from './recent-failures.ts';
import { WebhookResponse } from './response.ts';
import { difyCookies, hookPathOf, type OriginPolicy } from './shared-origin.ts';

export interface WebhookDeps {
  readonly database: Pick<Database, 'endpoints'>;
  readonly routing: Pick<Routing, 'find'>;
  /** The other nodes; absent while there can be none. */
  readonly nodes?: NodeCalls | undefined;
  readonly endpoints: Pick<EndpointService, 'settingsFor'>;
  readonly invocations: Pick<Invocations, 'open'>;
  /** For the whole call, from the first byte to the last, in ms. */
  readonly timeoutMs: number;
  /** Bytes of one request body; MAX_ENDPOINT_BODY_BYTES. */
  readonly maxBodyBytes: number;
  /** Bodies on their way to plugins; those of one plugin of one tenant have a share of their own. */
  readonly bodies: ByteBudget;
  /** How long a call waits for room for its body, in ms; default 30,000. */
  readonly bodyWaitMs?: number;
  /** The longest silence of a client that sends a body, in ms; default 60,000. */
  readonly bodyIdleMs?: number;
  /** What may wait for one slow client, in bytes, and the setting that says so. */
  readonly maxBufferedBytes: number;
  readonly bufferSetting: string;
  /** Answers that wait for slow clients, all together. */
  readonly answers: ByteBudget;
  readonly origin: OriginPolicy;
  /** Callers read what went wrong, whoever they are. */
  readonly showFailures: boolean;
  readonly log: FailureLog;
  /** For those who may know what went wrong. */
  readonly failures: Pick<RecentFailures, 'add'>;
}

type Group = Parameters<EndpointService['settingsFor']>[1];

/** Answers one call of a hook. Failures are answered here; nothing is thrown. */
export async function answerCall(
  deps: WebhookDeps,
  hookId: string,
  { raw: request, ip: client }: Pick<FastifyRequest, 'raw' | 'ip'>,
  raw: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  let about: FailedCall | undefined;
  try {
    const handed = deps.nodes?.received(request) !== undefined;
    const found = await resolve(deps, hookId, handed);
    const { tenant_id, id: endpoint_id } = found.endpoint;
    about = { tenant_id, endpoint_id, plugin: found.placement.identifier };
    const placement = await handOver(deps.nodes, found.placement, {
      request,
      response: raw,
      client,
      traceparent: TraceContext.from(request.headers.traceparent?.toString()).traceparent,
    });
    if (placement !== undefined) await serve(deps, { ...found, placement }, request, raw, left);
  } catch (error) {
    if (left.aborted) return;
    const known = toDaemonError(error);
    sendErrorRaw(raw, deps.showFailures ? known : outward(known, about, deps.log, deps.failures));
  }
}

interface Found {
  readonly endpoint: EndpointRecord;
  readonly placement: Placement;
  readonly group: Group;
}

async function serve(
  deps: WebhookDeps,
  { endpoint, placement, group }: Found,
  request: IncomingMessage,
  raw: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  if (deps.origin.shared && request.headers['service-worker'] !== undefined) throw noServiceWorkers();
  const owner = `${endpoint.tenant_id}/${endpoint.plugin_id}`;
  const response = new WebhookResponse({
    response: raw,
    method: request.method ?? 'GET',
    maxBufferedBytes: deps.maxBufferedBytes,
    bufferSetting: deps.bufferSetting,
    waiting: deps.answers,
    owner,
    origin: deps.origin,
    hookPath: hookPathOf(endpoint.hook_id, request.headers['dify-hook-url']?.toString()),
    log: deps.log,
  });
  const over = new AbortController();
  let session: Session | undefined;
  let body: Body | undefined;
  const stop = (error: DaemonError): void => {
    response.abandon(error);
    over.abort(error);
  };
  const timer = setTimeout(() => stop(timedOut()), deps.timeoutMs);
  const onLeft = (): void => stop(new DaemonError('internal', 'the client left'));
  left.addEventListener('abort', onLeft, { once: true });
  try {
    if (left.aborted) onLeft();
    // Side by side: neither is of use without the other.
    const reading = readBody(request, {
      limit: deps.maxBodyBytes,
      setting: 'MAX_ENDPOINT_BODY_BYTES',
      budget: deps.bodies,
      owner,
      waitMs: deps.bodyWaitMs ?? 30_000,
      idleMs: deps.bodyIdleMs ?? 60_000,
      signal: over.signal,
    }).then((read) => {
      body = read;
      return read;
    });
    const [read, settings] = await Promise.all([reading, deps.endpoints.settingsFor(endpoint, group)]).catch(
      async (error: unknown) => {
        // Ends the reading, if it is the settings that failed: nobody waits for room then.
        over.abort(error instanceof DaemonError ? error : toDaemonError(error));
        await reading.catch(() => undefined);
        throw error;
      },
    );
    session = await deps.invocations.open(
      {
        action: { ...invokeEndpoint, answer: { record: invokeEndpoint.answer.record, reader: () => response.read } },
        placement,
        anew: () => deps.routing.find(endpoint.tenant_id, endpoint.plugin_id, true),
        envelope: { ...noContext, tenantId: endpoint.tenant_id, endpointId: endpoint.id },
        data: dataOf(headOf(deps, request, endpoint, read.size), read, settings),
        traceparent: () => TraceContext.from(request.headers.traceparent?.toString()).traceparent,
        caller: over,
      },
      response,
    );
    // Held until the plugin has taken it: one that does not read makes those who call it wait, and nobody else.
    void session.taken?.then(read.release);
    if (session.taken === undefined) read.release();
    await response.done;
  } catch (error) {
    // What stopped the call tells more than what the stopping broke.
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    clearTimeout(timer);
    left.removeEventListener('abort', onLeft);
    session?.leave();
    body?.release();
  }
}

/** Webhook calls belong to no user and no conversation. */
const noContext = { userId: '', conversationId: null, messageId: null, appId: null, context: 'null' } as const;

/** The hook's endpoint with everything that must be there before a plugin is asked (docs/wire/http-api.md#webhooks). */
async function resolve(deps: WebhookDeps, hookId: string, handed: boolean): Promise<Found> {
  const endpoint = await lookUp(() => deps.database.endpoints.findByHookId(hookId));
  if (endpoint === undefined) throw new DaemonError('bad-request', 'endpoint not found', { status: 404 });
  const placement = await lookUp(async () => deps.routing.find(endpoint.tenant_id, endpoint.plugin_id, handed));
  if (placement === undefined || placement === 'away')
    throw new DaemonError('bad-request', 'plugin installation not found', { status: 404 });
  const declaration = await lookUp(placement.declaration);
  if (!endpoint.enabled) throw new DaemonError('not-found', 'endpoint not found');
  const group = declaration && endpointConfigOf(declaration).group;
  if (declaration === undefined || group === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return { endpoint, placement, group };
}

async function lookUp<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new DaemonError('internal', 'internal server error', { cause: error });
  }
}

/** The plugin's `data`: the raw text in hexadecimal digits, and the settings. */
const dataOf = (head: Buffer, body: Body, settings: object): string =>
  `{"user_id":"","type":"endpoint","action":"invoke_endpoint","raw_http_request":"${head.toString('hex')}${body.hex}","settings":${JSON.stringify(settings)}}`;

function headOf(deps: WebhookDeps, request: IncomingMessage, endpoint: EndpointRecord, bodySize: number): Buffer {
  const { socket } = request;
  return rawHead({
    method: request.method ?? 'GET',
    target: wireTarget(request),
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
    bodySize,
    hookId: endpoint.hook_id,
    secure: isSecure(request, deps.nodes),
    hiddenCookies: deps.origin.shared ? difyCookies : undefined,
    fallbackHost: `${socket.localAddress ?? 'localhost'}:${socket.localPort ?? ''}`,
  });
}

const timedOut = (): DaemonError => new DaemonError('internal', 'killed by timeout', { status: 504 });

const noServiceWorkers = (): DaemonError =>
  new DaemonError('bad-request', 'a webhook cannot be a service worker: it would control the webhooks of others', {
    remedy: 'Give each hook a host name of its own and set ENDPOINT_SHARED_ORIGIN=false',
    status: 403,
  });
