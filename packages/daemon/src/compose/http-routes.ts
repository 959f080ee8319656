/** Every group of routes with what its settings and parts make of it. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { FastifyRequest } from 'fastify';
import type { AuditLog } from '../audit/index.ts';
import type { EndpointService } from '../endpoints/index.ts';
import { adminRoutes } from '../http/admin/index.ts';
import { assetRoutes } from '../http/assets/index.ts';
import { debuggingRoutes } from '../http/debugging/index.ts';
import { dispatchRoutes } from '../http/dispatch/index.ts';
import { endpointRoutes } from '../http/endpoints/index.ts';
import type { AnyRoute, NodeCalls } from '../http/index.ts';
import { managementRoutes } from '../http/management/index.ts';
import { pluginLogRoutes } from '../http/plugin-logs/index.ts';
import { cancelled, isOf, sessionRoutes } from '../http/sessions/index.ts';
import { type TransactionsDependencies, transactionRoutes } from '../http/transactions/index.ts';
import { RecentFailures, webhookFailureRoutes, webhookRoutes } from '../http/webhooks/index.ts';
import type { Installation } from '../installation/index.ts';
import type { SessionRegistry } from '../invocation/index.ts';
import type { Routing } from '../routing/index.ts';
import type { DebuggingKeys } from '../runtimes/debugging/index.ts';
import { TraceContext } from '../telemetry/index.ts';
import { webhookBudgets } from './budgets.ts';
import { type HealthParts, healthOf, startsOf } from './health.ts';
import { nodeNameOf } from './nodes.ts';
import type { observeRequests } from './observation.ts';

/** What routes are served with. */
export interface HttpParts extends HealthParts {
  readonly audit: AuditLog;
  readonly installation: Installation;
  readonly endpoints: EndpointService;
  readonly routing: Routing;
  readonly debuggingKeys: DebuggingKeys;
  readonly registry: SessionRegistry | undefined;
}

/** Ends sessions that other nodes ask to be ended, and how to ask them. */
function tellOthers({ events, invocations }: HttpParts) {
  if (events === undefined) return undefined;
  events.on('session-cancelled', ({ tenantId, sessionId }) => {
    const found = invocations.find(sessionId);
    if (found !== undefined && isOf(tenantId)(found)) found.cancel(cancelled());
  });
  return (tenantId: string, sessionId: string) => events.publish('session-cancelled', { tenantId, sessionId });
}

export function routes(parts: HttpParts, requests: ReturnType<typeof observeRequests>): readonly AnyRoute[] {
  const { settings, log, database, installation, invocations, endpoints, routing, serverless } = parts;
  const failures = new RecentFailures();
  const nodes = parts.nodes?.calls(routing);
  const nodeName = nodeNameOf(settings);
  return [
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
      onLeft: requests.onLeft,
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
    ...healthOf(parts, requests),
  ];
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

/** An empty directory; what a killed daemon left there is gone. */
function freshDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

const traceparentOf = (request: FastifyRequest): string =>
  TraceContext.from(request.headers.traceparent?.toString()).traceparent;
