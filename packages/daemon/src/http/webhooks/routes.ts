import type { TLSSocket } from 'node:tls';
import type { Database, EndpointRecord, InstallationRecord, StoredDeclaration } from '../../database/index.ts';
import { type EndpointService, endpointConfigOf } from '../../endpoints/index.ts';
import { DaemonError } from '../../errors/index.ts';
import type { SessionSink } from '../../runtimes/runtime.ts';
import { type AnyRoute, type Call, route } from '../route.ts';
import { rawRequest } from './raw-request.ts';
import { readBody } from './read-body.ts';
import { WebhookResponse } from './response.ts';

/** One call of an endpoint plugin. */
export interface WebhookCall {
  readonly installation: InstallationRecord;
  readonly tenantId: string;
  readonly endpointId: string;
  /** JSON text of the request's own fields, an object. */
  readonly request: string;
  /** Aborted when the call is over for whatever reason: the session ends then, down to the plugin. */
  readonly signal: AbortSignal;
}

export interface WebhookDeps {
  readonly database: Pick<Database, 'endpoints' | 'installations' | 'declarations'>;
  readonly endpoints: Pick<EndpointService, 'settingsFor'>;
  /**
   * Opens the session, waiting for a plugin that is starting. What the plugin says goes to the sink.
   * @throws DaemonError when the plugin cannot be reached.
   */
  readonly invoke: (call: WebhookCall, sink: SessionSink) => Promise<unknown>;
  /** The declaration of a debugging plugin that stands before the installed one of the same id. */
  readonly shadowing?: (tenantId: string, pluginId: string) => StoredDeclaration | undefined;
  /** For the whole call, from the first byte to the last, in ms. */
  readonly timeoutMs: number;
  /** Bytes of one request body; default 10 MiB. */
  readonly maxBodyBytes?: number;
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
      tag: 'Webhooks',
      summary: 'Call the endpoint plugin behind a hook; everything below the hook is passed on',
      produces: '*/*',
      errorStatus: 'kind',
      async handleRaw(call, reply) {
        const { endpoint, installation, group } = await resolve(deps, call.params.hook_id ?? '');
        const over = new AbortController();
        const response = new WebhookResponse({
          response: reply.raw,
          method,
          take: () => void reply.hijack(),
          maxBufferedBytes: deps.maxBufferedBytes,
          bufferSetting: deps.bufferSetting,
          log: deps.log,
        });
        const stop = (error: DaemonError): void => {
          response.abandon(error);
          over.abort(error);
        };
        const timer = setTimeout(() => stop(timedOut()), deps.timeoutMs);
        const onLeft = (): void => stop(new DaemonError('internal', 'the client left'));
        call.signal.addEventListener('abort', onLeft, { once: true });
        try {
          if (call.signal.aborted) onLeft();
          const request = await requestOf(deps, call, endpoint, group, over.signal);
          const opened = deps.invoke(
            { installation, tenantId: endpoint.tenant_id, endpointId: endpoint.id, request, signal: over.signal },
            response,
          );
          opened.catch((error: unknown) => stop(toUnreachable(error)));
          await response.done;
        } finally {
          clearTimeout(timer);
          call.signal.removeEventListener('abort', onLeft);
          over.abort();
        }
      },
    }),
  );
}

/** The hook's endpoint with everything that must be there before a plugin is asked (http-api §9, steps 2–5). */
async function resolve(deps: WebhookDeps, hookId: string) {
  const endpoint = await found(() => deps.database.endpoints.findByHookId(hookId));
  if (endpoint === undefined) throw new DaemonError('bad-request', 'endpoint not found', { status: 404 });
  const installation = await found(() => deps.database.installations.find(endpoint.tenant_id, endpoint.plugin_id));
  if (installation === undefined)
    throw new DaemonError('bad-request', 'plugin installation not found', { status: 404 });
  if (!endpoint.enabled) throw new DaemonError('not-found', 'endpoint not found');
  const declaration =
    deps.shadowing?.(endpoint.tenant_id, endpoint.plugin_id) ??
    (await found(() =>
      deps.database.declarations.find(installation.plugin_unique_identifier, installation.runtime_type),
    ));
  const group = declaration && endpointConfigOf(declaration).group;
  if (group === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return { endpoint, installation, group };
}

async function found<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new DaemonError('internal', 'internal server error', { cause: error });
  }
}

/** The plugin's request: the raw text in hexadecimal digits, and the settings. Body and settings are fetched side by side. */
async function requestOf(
  deps: WebhookDeps,
  { request }: Call<unknown>,
  endpoint: EndpointRecord,
  group: Parameters<WebhookDeps['endpoints']['settingsFor']>[1],
  signal: AbortSignal,
): Promise<string> {
  const { raw } = request;
  const [body, settings] = await Promise.all([
    readBody(raw, { limit: deps.maxBodyBytes ?? 10 * 1024 * 1024, idleMs: deps.bodyIdleMs ?? 60_000, signal }),
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
  return `{"raw_http_request":"${text.toString('hex')}","settings":${JSON.stringify(settings)}}`;
}

const timedOut = (): DaemonError => new DaemonError('internal', 'killed by timeout', { status: 504 });

const toUnreachable = (error: unknown): DaemonError =>
  error instanceof DaemonError
    ? error
    : new DaemonError('internal', error instanceof Error ? error.message : String(error), { cause: error });
