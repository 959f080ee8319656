import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import type { DataDirectory, Settings } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import type { EndpointService } from '../endpoints/index.ts';
import { adminRoutes } from '../http/admin/index.ts';
import { assetRoutes } from '../http/assets/index.ts';
import { debuggingRoutes } from '../http/debugging/index.ts';
import { dispatchRoutes } from '../http/dispatch/index.ts';
import { endpointRoutes } from '../http/endpoints/index.ts';
import { healthRoutes } from '../http/health/index.ts';
import { type AnyRoute, createHttpServer, type HttpServer } from '../http/index.ts';
import { managementRoutes } from '../http/management/index.ts';
import { descriptionRoutes } from '../http/openapi/index.ts';
import { webhookRoutes } from '../http/webhooks/index.ts';
import type { Installation } from '../installation/index.ts';
import type { Invocations } from '../invocation/index.ts';
import type { Routing } from '../routing/index.ts';
import type { DebuggingKeys } from '../runtimes/debugging/index.ts';
import type { LocalSupervisor } from '../supervision/index.ts';
import { type Metrics, type OwnedLog, TraceContext } from '../telemetry/index.ts';
import { observeRequests } from './observation.ts';

export interface HttpParts {
  readonly settings: Settings;
  readonly serverKey: string;
  readonly dataDirectory: DataDirectory;
  readonly log: OwnedLog;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly installation: Installation;
  readonly invocations: Invocations;
  readonly endpoints: EndpointService;
  readonly supervisor: LocalSupervisor;
  readonly routing: Routing;
  readonly debuggingKeys: DebuggingKeys;
}

/** The HTTP server with every route table; not listening yet. */
export async function httpServer(parts: HttpParts): Promise<HttpServer> {
  const { settings, serverKey, log, metrics } = parts;
  const requests = observeRequests(metrics, log.child({ component: 'http' }), settings.HEALTH_API_LOG_ENABLED);
  const server = await createHttpServer({
    host: settings.SERVER_HOST,
    port: settings.SERVER_PORT,
    serverKey,
    ...(settings.ADMIN_API_ENABLED && settings.ADMIN_API_KEY !== undefined && { adminKey: settings.ADMIN_API_KEY }),
    onFinished: requests.onFinished,
    onFault: requests.onFault,
    routes: routes(parts, requests),
  });
  requests.watch(server.app.server);
  return server;
}

function routes(parts: HttpParts, requests: ReturnType<typeof observeRequests>): readonly AnyRoute[] {
  const { settings, log, metrics, database, installation, invocations, endpoints, supervisor, routing } = parts;
  const all = [
    ...dispatchRoutes({
      invocations,
      routing,
      maxBodyBytes: settings.MAX_DISPATCH_BODY_BYTES,
      maxWaitingBytes: settings.SESSION_BUFFER_BYTES,
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
    ...endpointRoutes({ endpoints }),
    ...(settings.ADMIN_API_ENABLED ? adminRoutes() : []),
    ...(settings.PLUGIN_REMOTE_INSTALLING_ENABLED ? debuggingRoutes({ keys: parts.debuggingKeys }) : []),
    ...(settings.PLUGIN_ENDPOINT_ENABLED
      ? webhookRoutes({
          database,
          endpoints,
          invocations,
          routing,
          timeoutMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * 1000,
          maxBodyBytes: settings.MAX_ENDPOINT_BODY_BYTES,
          maxBufferedBytes: settings.SESSION_BUFFER_BYTES,
          bufferSetting: 'SESSION_BUFFER_BYTES',
          log: log.child({ component: 'webhooks' }),
        })
      : []),
    ...healthRoutes({
      version: '',
      buildTime: '',
      platform: settings.PLATFORM,
      poolSize: settings.ROUTINE_POOL_SIZE,
      activeRequests: requests.active,
      activeDispatches: requests.activeDispatches,
      openSessions: () => invocations.openSessions,
      problems: async () => ({ ...(await databaseProblem(database)), ...supervisor.problems() }),
      metrics: settings.PROMETHEUS_ENABLED
        ? async () => ({ type: metrics.contentType, text: await metrics.render() })
        : undefined,
    }),
  ];
  return [...all, ...descriptionRoutes(all)];
}

/** An empty directory; what a killed daemon left there is gone. */
function freshDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

const traceparentOf = (request: FastifyRequest): string =>
  TraceContext.from(request.headers.traceparent?.toString()).traceparent;

async function databaseProblem(database: Database): Promise<Readonly<Record<string, string>>> {
  try {
    await database.ping();
    return {};
  } catch (error) {
    return { database: error instanceof Error ? error.message : String(error) };
  }
}
