import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { PluginCages } from '@plugin-daemon/plugin-host/isolation';
import type { ParentsPool, StartedBy } from '@plugin-daemon/plugin-host/prefork';
import { messageOf } from '@plugin-daemon/values';
import type { FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/index.ts';
import type { Cache } from '../cache/index.ts';
import { type DataDirectory, isLoopback, type Settings } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import type { EndpointService } from '../endpoints/index.ts';
import type { EventBus } from '../events/index.ts';
import { adminRoutes } from '../http/admin/index.ts';
import { assetRoutes } from '../http/assets/index.ts';
import { debuggingRoutes } from '../http/debugging/index.ts';
import { dispatchRoutes } from '../http/dispatch/index.ts';
import { endpointRoutes } from '../http/endpoints/index.ts';
import { type HealthFigures, type HealthState, healthRoutes } from '../http/health/index.ts';
import { type AnyRoute, createHttpServer, type HttpLimits, type HttpServer, type NodeCalls } from '../http/index.ts';
import { managementRoutes } from '../http/management/index.ts';
import { descriptionRoutes } from '../http/openapi/index.ts';
import { pluginLogRoutes } from '../http/plugin-logs/index.ts';
import { cancelled, isOf, sessionRoutes } from '../http/sessions/index.ts';
import { type TransactionsDependencies, transactionRoutes } from '../http/transactions/index.ts';
import { RecentFailures, webhookFailureRoutes, webhookRoutes } from '../http/webhooks/index.ts';
import type { Installation } from '../installation/index.ts';
import type { Invocations, SessionRegistry } from '../invocation/index.ts';
import type { Routing } from '../routing/index.ts';
import type { DebuggingKeys } from '../runtimes/debugging/index.ts';
import type { ObjectStorage } from '../storage/index.ts';
import type { Housekeeping, LocalSupervisor, PluginPolicies } from '../supervision/index.ts';
import { type Metrics, type OwnedLog, type PluginJournal, TraceContext } from '../telemetry/index.ts';
import { VERSION } from '../version.ts';
import type { ServerlessPlatform } from './functions.ts';
import { type Nodes, nodeNameOf } from './nodes.ts';
import { observeRequests } from './observation.ts';
import type { Shutdown } from './shutdown.ts';
import type { Siblings } from './worker-siblings.ts';

export interface HttpParts {
  readonly settings: Settings;
  readonly serverKey: string;
  readonly dataDirectory: DataDirectory;
  readonly log: OwnedLog;
  readonly metrics: Metrics;
  readonly journal: PluginJournal;
  readonly database: Database;
  readonly audit: AuditLog;
  readonly cache: Cache;
  readonly events: EventBus | undefined;
  readonly policies: PluginPolicies;
  readonly housekeeping: Housekeeping;
  readonly objects: ObjectStorage;
  readonly installation: Installation;
  readonly invocations: Invocations;
  readonly endpoints: EndpointService;
  readonly supervisor: LocalSupervisor;
  readonly cages: PluginCages;
  readonly startedBy: ReadonlyMap<string, StartedBy>;
  readonly parents: Pick<ParentsPool, 'facts'> | undefined;
  readonly routing: Routing;
  readonly debuggingKeys: DebuggingKeys;
  /** The other nodes; undefined while there can be none. */
  readonly nodes: Nodes | undefined;
  readonly shutdown: Shutdown;
  /** The other workers of this daemon; undefined for one alone. */
  readonly siblings: Siblings | undefined;
  /** Absent on the local platform. */
  readonly serverless: ServerlessPlatform | undefined;
  readonly registry: SessionRegistry | undefined;
}

/** The HTTP servers with their route tables; not listening yet. */
export interface HttpServers {
  readonly main: HttpServer;
  /** Shows details without a key; undefined unless DETAILS_PORT asks for it. */
  readonly details: HttpServer | undefined;
}

export async function httpServers(parts: HttpParts): Promise<HttpServers> {
  const { settings, serverKey, metrics } = parts;
  const log = parts.log.child({ component: 'http' });
  const requests = observeRequests(metrics, log, settings.HEALTH_API_LOG_ENABLED);
  const common = {
    onFinished: requests.onFinished,
    onFault: requests.onFault,
    onWarning: requests.onWarning,
    limits: limits(settings),
    trustedProxies: settings.TRUSTED_PROXIES,
  };
  const main = await createHttpServer({
    ...common,
    onAudit: (event) => parts.audit.record(event),
    host: settings.SERVER_HOST,
    port: settings.SERVER_PORT,
    serverKey,
    detailsNeedKey: detailsNeedKey(settings),
    ...defined({
      formerServerKey: parts.dataDirectory.formerServerKey,
      adminKey: settings.ADMIN_API_ENABLED ? settings.ADMIN_API_KEY : undefined,
      formerAdminKey: settings.ADMIN_API_ENABLED ? settings.ADMIN_API_KEY_PREVIOUS : undefined,
      detailsKey: settings.DETAILS_KEY,
    }),
    routes: routes(parts, requests),
    nodes: parts.nodes?.http(),
  });
  requests.watch(main.app.server);
  if (settings.DETAILS_PORT === 0) return { main, details: undefined };
  const details = await createHttpServer({
    ...common,
    host: settings.DETAILS_HOST,
    port: settings.DETAILS_PORT,
    setting: { host: 'DETAILS_HOST', port: 'DETAILS_PORT' },
    serverKey,
    routes: described(health(parts, requests), false),
  });
  return { main, details };
}

/** Without the entries that are undefined. */
const defined = (entries: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(entries).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

const detailsNeedKey = (settings: Settings): boolean =>
  settings.DETAILS_ACCESS === 'key' || (settings.DETAILS_ACCESS === 'auto' && !isLoopback(settings.SERVER_HOST));

/** What the settings say; the server alone has the same defaults. */
export const limits = (settings: Settings): HttpLimits => ({
  headBytes: settings.MAX_HEADER_BYTES,
  headMs: settings.HTTP_HEAD_TIMEOUT * 1000,
  requestMs: settings.HTTP_REQUEST_TIMEOUT * 1000,
  connections: settings.MAX_CONNECTIONS,
  strangersOfAddress: settings.MAX_CONNECTIONS_PER_ADDRESS,
  publicRequestsOfAddress: settings.MAX_PUBLIC_REQUESTS_PER_ADDRESS,
  failedAttemptsPerMinute: settings.MAX_FAILED_AUTH_PER_MINUTE,
});

const described = (all: readonly AnyRoute[], needsKey: boolean): readonly AnyRoute[] => [
  ...all,
  ...descriptionRoutes(all, needsKey),
];

/** Ends sessions that other nodes ask to be ended, and how to ask them. */
function tellOthers({ events, invocations }: HttpParts) {
  if (events === undefined) return undefined;
  events.on('session-cancelled', ({ tenantId, sessionId }) => {
    const found = invocations.find(sessionId);
    if (found !== undefined && isOf(tenantId)(found)) found.abort(cancelled());
  });
  return (tenantId: string, sessionId: string) => events.publish('session-cancelled', { tenantId, sessionId });
}

function routes(parts: HttpParts, requests: ReturnType<typeof observeRequests>): readonly AnyRoute[] {
  const { settings, log, database, installation, invocations, endpoints, routing, serverless } = parts;
  const failures = new RecentFailures();
  const nodes = parts.nodes?.calls(routing);
  const nodeName = nodeNameOf(settings);
  const all = [
    ...dispatchRoutes({
      invocations,
      routing,
      nodes,
      maxBodyBytes: settings.MAX_DISPATCH_BODY_BYTES,
      maxWaitingBytes: settings.SESSION_BUFFER_BYTES,
      waitingInMemory: new ByteBudget({ what: 'answers', total: settings.ANSWERS_MEMORY_BUDGET_BYTES }),
      spillDirectory: freshDirectory(join(parts.dataDirectory.path, 'tmp')),
      traceparent: traceparentOf,
      onStart: requests.onDispatchStart,
      onEnd: requests.onDispatchEnd,
    }),
    ...managementRoutes({
      database,
      installation,
      maxPackageBytes: settings.MAX_PLUGIN_PACKAGE_SIZE,
      maxBundleBytes: settings.MAX_BUNDLE_PACKAGE_SIZE,
      log: log.child({ component: 'management' }),
    }),
    ...assetRoutes({ installation }),
    ...pluginLogRoutes({ journal: parts.journal, nodeName: parts.nodes?.ownName ?? nodeName, nodes }),
    ...sessionRoutes({ invocations, nodeName, nodes, tellOthers: tellOthers(parts) }),
    ...endpointRoutes({ endpoints }),
    ...webhookFailureRoutes({ failures }),
    ...(settings.ADMIN_API_ENABLED
      ? adminRoutes({
          auditEvents: database.auditEvents,
          policies: parts.policies,
          environments: parts.housekeeping,
          supervisor: parts.supervisor,
          starts: () => startsOf(parts.startedBy),
          nodeName,
          nodes,
          ...(serverless && { functions: serverless.functions }),
        })
      : []),
    ...(serverless === undefined ? [] : transactionRoutes(transactions(parts, nodes))),
    ...debuggingRoutes({ keys: settings.PLUGIN_REMOTE_INSTALLING_ENABLED ? parts.debuggingKeys : undefined }),
    ...(settings.PLUGIN_ENDPOINT_ENABLED
      ? webhookRoutes({
          database,
          endpoints,
          invocations,
          routing,
          nodes,
          timeoutMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * 1000,
          maxBodyBytes: settings.MAX_ENDPOINT_BODY_BYTES,
          ...webhookBudgets(settings),
          origin: {
            shared: settings.ENDPOINT_SHARED_ORIGIN,
            sandbox: settings.ENDPOINT_HTML_SANDBOX === 'off' ? undefined : settings.ENDPOINT_HTML_SANDBOX,
          },
          showFailures: settings.ENDPOINT_ERROR_DETAILS,
          maxBufferedBytes: settings.SESSION_BUFFER_BYTES,
          bufferSetting: 'SESSION_BUFFER_BYTES',
          log: log.child({ component: 'webhooks' }),
          failures,
        })
      : []),
    ...health(parts, requests),
  ];
  return described(all, detailsNeedKey(settings));
}

/** What calls of functions back into the daemon are served with. */
function transactions(
  { settings, log, metrics, audit, invocations, registry }: HttpParts,
  nodes: NodeCalls | undefined,
): TransactionsDependencies {
  const total = settings.CALL_BACK_BUDGET_BYTES;
  const setting = 'CALL_BACK_BUDGET_BYTES';
  const ours = log.child({ component: 'transactions' });
  return {
    invocations,
    nodes,
    ...(registry !== undefined && { nodeOf: (sessionId) => registry.nodeOf(sessionId) }),
    secretRequired: settings.SERVERLESS_CALL_BACK_SECRET === 'required',
    timeoutMs: settings.MAX_SERVERLESS_TRANSACTION_TIMEOUT * 1000,
    bodies: new ByteBudget({ what: 'calls of functions', total, perOwner: Math.ceil(total / 4), setting }),
    onOutcome: (outcome) => metrics.plugin_function_calls_back_total.inc({ outcome }),
    onImpostor: ({ id, envelope, runtime }, request, outcome) => {
      const fields = { session: id.slice(0, 8), tenant_id: envelope.tenantId, plugin: runtime.identifier };
      ours.warn(
        { ...fields, client_ip: request.ip, outcome },
        'somebody called back in the name of a session that is not theirs',
      );
      audit.record({
        action: 'call-back',
        tenant_id: envelope.tenantId,
        subject: runtime.identifier,
        address: request.ip,
        credential: 'session',
        outcome: 'failed',
        detail: outcome,
        trace_id: '',
      });
    },
  };
}

function health(
  {
    settings,
    metrics,
    database,
    cache,
    objects,
    invocations,
    supervisor,
    cages,
    startedBy,
    parents,
    nodes,
    shutdown,
    siblings,
  }: HttpParts,
  requests: ReturnType<typeof observeRequests>,
): readonly AnyRoute[] {
  const figures = async (): Promise<HealthFigures> => ({
    requests: requests.active(),
    dispatches: requests.activeDispatches(),
    sessions: invocations.openSessions,
  });
  const state = async (): Promise<HealthState> => ({
    problems: {
      parts: {
        ...(await databaseProblem(database)),
        ...cacheProblem(cache),
        ...nodesProblem(nodes),
        ...(shutdown.begun && { stopping: 'this node is stopping' }),
        ...(await storageProblem(objects)),
      },
      plugins: supervisor.problems(),
    },
    isolation: Object.fromEntries([...cages.inForce].map(([identifier, { mode }]) => [identifier, mode])),
    starts: startsOf(startedBy),
    parents: parents?.facts() ?? [],
  });
  return healthRoutes({
    version: VERSION,
    buildTime: '',
    platform: settings.PLATFORM,
    poolSize: settings.ROUTINE_POOL_SIZE,
    figures: siblings?.ofAll('figures', figures) ?? figures,
    state: siblings?.ofAll('state', state) ?? state,
    metrics: settings.PROMETHEUS_ENABLED
      ? async () => ({
          type: metrics.contentType,
          text: await (siblings === undefined ? metrics.render() : siblings.metricsOfAll()),
        })
      : undefined,
  });
}

/** One plugin of one tenant has a share that leaves room for others. */
function webhookBudgets(settings: Settings) {
  const total = settings.MAX_ENDPOINT_BODIES_BYTES;
  const setting = 'MAX_ENDPOINT_BODIES_BYTES';
  const answers = Math.max(4 * total, settings.SESSION_BUFFER_BYTES);
  return {
    bodies: new ByteBudget({ what: 'bodies of webhooks', total, perOwner: Math.ceil(total / 4), setting }),
    answers: new ByteBudget({
      what: 'answers of webhooks that wait for slow clients',
      total: answers,
      perOwner: Math.max(Math.ceil(answers / 4), settings.SESSION_BUFFER_BYTES),
      setting,
    }),
  };
}

/** An empty directory; what a killed daemon left there is gone. */
function freshDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

const startsOf = (startedBy: HttpParts['startedBy']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...startedBy].map(([identifier, { way, reason, alone }]) => [
      identifier,
      reason !== undefined
        ? `${way}: ${reason}`
        : alone !== undefined
          ? `${way}, and no template for further processes: ${alone}`
          : way,
    ]),
  );

const traceparentOf = (request: FastifyRequest): string =>
  TraceContext.from(request.headers.traceparent?.toString()).traceparent;

async function databaseProblem(database: Database): Promise<{ readonly database?: string }> {
  try {
    await database.ping();
    return {};
  } catch (error) {
    return { database: messageOf(error) };
  }
}

function cacheProblem(cache: Cache): { readonly cache?: string } {
  const problem = cache.problem();
  return problem === undefined ? {} : { cache: `Redis cannot be reached: ${problem}` };
}

function nodesProblem(nodes: Nodes | undefined): { readonly cluster?: string } {
  const problem = nodes?.problem();
  return problem === undefined ? {} : { cluster: problem };
}

async function storageProblem(objects: ObjectStorage): Promise<{ readonly storage?: string }> {
  const problem = await objects.problem();
  return problem === undefined ? {} : { storage: problem };
}
