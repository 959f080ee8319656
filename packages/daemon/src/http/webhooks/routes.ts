import type { TLSSocket } from 'node:tls';
import type { Database, EndpointRecord } from '../../database/index.ts';
import { type EndpointService, endpointConfigOf } from '../../endpoints/index.ts';
import { DaemonError } from '../../errors/index.ts';
import { type Invocations, invokeEndpoint, type Session } from '../../invocation/index.ts';
import type { Routing } from '../../routing/index.ts';
import { TraceContext } from '../../telemetry/index.ts';
import { type AnyRoute, type Call, route } from '../route.ts';
import { rawRequest } from './raw-request.ts';
import { readBody } from './read-body.ts';
import { WebhookResponse } from './response.ts';

export interface WebhookDeps {
  readonly database: Pick<Database, 'endpoints'>;
  readonly routing: Pick<Routing, 'find'>;
  readonly endpoints: Pick<EndpointService, 'settingsFor'>;
  readonly invocations: Pick<Invocations, 'open'>;
  /** For the whole call, from the first byte to the last, in ms. */
  readonly timeoutMs: number;
  /** Bytes of one request body; MAX_ENDPOINT_BODY_BYTES. */
  readonly maxBodyBytes: number;
  /** The longest silence of a client that sends a body, in ms; default 60,000. */
  readonly bodyIdleMs?: number;
  /** What may wait for one slow client, in bytes, and the setting that says so. */
  readonly maxBufferedBytes: number;
  readonly bufferSetting: string;
  readonly log: { warn(fields: object, message: string): void };
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const;

/** The route table of the webhooks. */
export function webhookRoutes(deps: WebhookDeps): readonly AnyRoute[] {
  return methods.map((method) =>
    route({
      method,
      group: 'public',
      path: '/e/:hook_id/*',
      aliases: ['/e/:hook_id'],
      operationId: `webhook${method.charAt(0)}${method.slice(1).toLowerCase()}`,
      rest: 'path',
      tag: 'Webhooks',
      summary: 'Call the endpoint plugin behind a hook; everything below the hook is passed on',
      produces: '*/*',
      errorStatus: 'kind',
      async handleRaw(call, reply) {
        const { endpoint, placement, group } = await resolve(deps, call.params.hook_id ?? '');
        const response = new WebhookResponse({
          response: reply.raw,
          method,
          maxBufferedBytes: deps.maxBufferedBytes,
          bufferSetting: deps.bufferSetting,
          log: deps.log,
        });
        const over = new AbortController();
        let session: Session | undefined;
        const stop = (error: DaemonError): void => {
          response.abandon(error);
          over.abort(error);
        };
        const timer = setTimeout(() => stop(timedOut()), deps.timeoutMs);
        const onLeft = (): void => stop(new DaemonError('internal', 'the client left'));
        call.signal.addEventListener('abort', onLeft, { once: true });
        try {
          if (call.signal.aborted) onLeft();
          const data = await requestOf(deps, call, endpoint, group, over.signal);
          session = await deps.invocations.open(
            {
              action: {
                ...invokeEndpoint,
                answer: { record: invokeEndpoint.answer.record, reader: () => response.read },
              },
              placement,
              envelope: { ...noContext, tenantId: endpoint.tenant_id, endpointId: endpoint.id },
              data,
              traceparent: () => TraceContext.from(call.request.headers.traceparent?.toString()).traceparent,
              signal: over.signal,
            },
            response,
          );
          await response.done;
        } catch (error) {
          if (call.signal.aborted) return;
          // What stopped the call tells more than what the stopping broke.
          throw over.signal.aborted ? over.signal.reason : error;
        } finally {
          clearTimeout(timer);
          call.signal.removeEventListener('abort', onLeft);
          session?.leave();
        }
      },
    }),
  );
}

/** Webhook calls belong to no user and no conversation. */
const noContext = { userId: '', conversationId: null, messageId: null, appId: null, context: 'null' } as const;

/** The hook's endpoint with everything that must be there before a plugin is asked (http-api §9, steps 2–5). */
async function resolve(deps: WebhookDeps, hookId: string) {
  const endpoint = await found(() => deps.database.endpoints.findByHookId(hookId));
  if (endpoint === undefined) throw new DaemonError('bad-request', 'endpoint not found', { status: 404 });
  const placement = await found(async () => deps.routing.find(endpoint.tenant_id, endpoint.plugin_id));
  if (placement === undefined || placement === 'away')
    throw new DaemonError('bad-request', 'plugin installation not found', { status: 404 });
  const declaration = await found(placement.declaration);
  if (!endpoint.enabled) throw new DaemonError('not-found', 'endpoint not found');
  const group = declaration && endpointConfigOf(declaration).group;
  if (declaration === undefined || group === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return { endpoint, placement, group };
}

async function found<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new DaemonError('internal', 'internal server error', { cause: error });
  }
}

/** The plugin's `data`: the raw text in hexadecimal digits, and the settings. Body and settings are fetched side by side. */
async function requestOf(
  deps: WebhookDeps,
  { request }: Call<unknown>,
  endpoint: EndpointRecord,
  group: Parameters<WebhookDeps['endpoints']['settingsFor']>[1],
  signal: AbortSignal,
): Promise<string> {
  const { raw } = request;
  const [body, settings] = await Promise.all([
    readBody(raw, {
      limit: deps.maxBodyBytes,
      setting: 'MAX_ENDPOINT_BODY_BYTES',
      idleMs: deps.bodyIdleMs ?? 60_000,
      signal,
    }),
    deps.endpoints.settingsFor(endpoint, group),
  ]);
  const { socket } = raw;
  const text = rawRequest({
    method: raw.method ?? 'GET',
    target: raw.url ?? '/',
    httpVersion: raw.httpVersion,
    rawHeaders: raw.rawHeaders,
    body,
    hookId: endpoint.hook_id,
    secure: (socket as Partial<TLSSocket>).encrypted === true,
    fallbackHost: `${socket.localAddress ?? 'localhost'}:${socket.localPort ?? ''}`,
  });
  return `{"user_id":"","type":"endpoint","action":"invoke_endpoint","raw_http_request":"${text.toString('hex')}","settings":${JSON.stringify(settings)}}`;
}

const timedOut = (): DaemonError => new DaemonError('internal', 'killed by timeout', { status: 504 });
