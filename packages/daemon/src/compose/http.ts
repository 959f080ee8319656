/** The HTTP servers: who may come in, how much they may send, and what they are served. Not listening yet. */
import { isLoopback, type Settings } from '../config/index.ts';
import { type AnyRoute, createHttpServer, type HttpLimits, type HttpServer } from '../http/index.ts';
import { descriptionRoutes } from '../http/openapi/index.ts';
import { healthOf } from './health.ts';
import { type HttpParts, routes } from './http-routes.ts';
import { observeRequests } from './observation.ts';

export interface HttpServers {
  readonly main: HttpServer;
  /** Shows details without a key; undefined unless DETAILS_PORT asks for it. */
  readonly details: HttpServer | undefined;
}

export async function httpServers(parts: HttpParts): Promise<HttpServers> {
  const { settings, dataDirectory, metrics } = parts;
  const serverKey = dataDirectory.serverKey.value;
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
      formerServerKey: dataDirectory.formerServerKey,
      adminKey: settings.ADMIN_API_ENABLED ? settings.ADMIN_API_KEY : undefined,
      formerAdminKey: settings.ADMIN_API_ENABLED ? settings.ADMIN_API_KEY_PREVIOUS : undefined,
      detailsKey: settings.DETAILS_KEY,
    }),
    routes: described(routes(parts, requests), detailsNeedKey(settings)),
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
    routes: described(healthOf(parts, requests), false),
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
