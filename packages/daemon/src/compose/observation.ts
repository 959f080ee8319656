/** What happens, told to metrics and log: the hooks that compose.ts puts between the parts and telemetry. */
import type { Server, ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { isFault } from '@plugin-daemon/plugin-host/errors';
import type { PluginCagesOptions } from '@plugin-daemon/plugin-host/isolation';
import type { StartedBy } from '@plugin-daemon/plugin-host/prefork';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpWarning } from '../http/index.ts';
import type { InstallationParts } from '../installation/index.ts';
import type { InvocationsOptions } from '../invocation/index.ts';
import type { PluginState, PoolLoad } from '../supervision/index.ts';
import type { Log, Metrics } from '../telemetry/index.ts';

/** Counts invocations (docs/wire/state.md#metrics); each ends exactly once. */
export function observeInvocations(
  metrics: Metrics,
  log: Log,
): Pick<InvocationsOptions, 'onOpened' | 'onClosed' | 'onFault'> {
  return {
    onOpened: ({ runtime, action }) => {
      metrics.plugin_invocations_active.inc({
        plugin_id: runtime.pluginId,
        plugin_type: action.type,
        runtime_type: runtime.type,
      });
      metrics.active_sessions_total.inc({});
    },
    onClosed: (session, outcome) => {
      const { runtime, action } = session;
      const labels = { plugin_id: runtime.pluginId, plugin_type: action.type, runtime_type: runtime.type };
      metrics.plugin_invocations_active.dec(labels);
      metrics.active_sessions_total.dec({});
      metrics.plugin_invocations_total.inc({ ...labels, operation: action.action, status: outcome });
      metrics.plugin_invocation_duration_seconds.observe(
        { ...labels, operation: action.action },
        (performance.now() - session.startedAt) / 1000,
      );
      if (outcome !== 'success')
        log.debug({ plugin: runtime.identifier, action: action.action, outcome }, 'session ended');
    },
    onFault: (error, session) => log.error({ plugin: session.runtime.identifier, error }, 'backwards invocation broke'),
  };
}

const stateValues: Readonly<Record<PluginState, number>> = {
  stopped: 0,
  asleep: 0,
  waiting: 0,
  starting: 0.5,
  running: 1,
};

/** Keeps the gauges of local plugins, and counts the restarts of their processes. */
export function observePlugins(metrics: Metrics) {
  /** Of each version that is kept; a plugin may have several, while it is upgraded or with tenants on different ones. */
  const states = new Map<string, { readonly pluginId: string; readonly state: PluginState }>();
  const counts = new Map<PluginState, number>();
  const count = (state: PluginState, by: number): void => {
    counts.set(state, (counts.get(state) ?? 0) + by);
    metrics.plugin_versions.set({ state }, counts.get(state) ?? 0);
  };
  const labelsOf = (identifier: string) => ({
    plugin_id: parseUniqueIdentifier(identifier).pluginId,
    runtime_type: 'local',
  });
  return {
    onState(identifier: string, state: PluginState): void {
      const before = states.get(identifier);
      const labels = labelsOf(identifier);
      if (before !== undefined) count(before.state, -1);
      if (state === 'stopped') states.delete(identifier);
      else {
        states.set(identifier, { pluginId: labels.plugin_id, state });
        count(state, 1);
      }
      let best = 0;
      for (const one of states.values())
        if (one.pluginId === labels.plugin_id) best = Math.max(best, stateValues[one.state]);
      metrics.plugin_runtime_status.set(labels, best);
      metrics.active_plugins_total.set({ runtime_type: 'local' }, counts.get('running') ?? 0);
    },
    onRestarted: (identifier: string): void => metrics.plugin_restarts_total.inc(labelsOf(identifier)),
  };
}

/** Keeps the gauges of processes and waiting calls: the sum over the versions of a plugin; a series for each that has any. */
export function observeLoads(metrics: Metrics): (identifier: string, load: PoolLoad) => void {
  const known = new Map<string, PoolLoad>();
  return (identifier, load) => {
    if (load.instances + load.waiting === 0) known.delete(identifier);
    else known.set(identifier, load);
    const labels = { plugin_id: parseUniqueIdentifier(identifier).pluginId };
    const versions = [...known].filter(([one]) => parseUniqueIdentifier(one).pluginId === labels.plugin_id);
    metrics.plugin_instances.set(
      labels,
      versions.reduce((sum, [, { instances }]) => sum + instances, 0),
    );
    metrics.plugin_calls_waiting.set(
      labels,
      versions.reduce((sum, [, { waiting }]) => sum + waiting, 0),
    );
  };
}

/** Counts how plugin processes came about, and remembers the last start of each. */
export function observeStarts(metrics: Metrics) {
  const startedBy = new Map<string, StartedBy>();
  return {
    startedBy,
    onStarted(identifier: string, by: StartedBy): void {
      startedBy.set(identifier, by);
      metrics.plugin_starts_total.inc({ plugin_id: parseUniqueIdentifier(identifier).pluginId, way: by.way });
    },
  };
}

/** Keeps the gauge of isolation: one series for each plugin that was started. */
export function observeIsolation(metrics: Metrics): PluginCagesOptions['onInForce'] {
  const known = new Map<string, { plugin_id: string; mode: string }>();
  return (identifier, inForce) => {
    const before = known.get(identifier);
    known.delete(identifier);
    // Another version of the plugin may be held in the same way.
    if (before !== undefined && ![...known.values()].some((one) => isDeepStrictEqual(one, before)))
      metrics.plugin_isolation.remove(before);
    if (inForce === undefined) return;
    const labels = { plugin_id: parseUniqueIdentifier(identifier).pluginId, mode: inForce.mode };
    known.set(identifier, labels);
    metrics.plugin_isolation.set(labels, 1);
  };
}

/** Counts install jobs (docs/wire/state.md#metrics). */
export function observeInstallations(metrics: Metrics): NonNullable<InstallationParts['onJobEnd']> {
  return ({ identifier, status, seconds }) => {
    const { pluginId } = parseUniqueIdentifier(identifier);
    metrics.plugin_installations_total.inc({ plugin_id: pluginId, status });
    metrics.plugin_installation_duration_seconds.observe({ plugin_id: pluginId }, seconds);
  };
}

const warnings: Readonly<Record<HttpWarning, { readonly text: string; readonly remedy: string }>> = {
  blocked: {
    text: 'too many requests with a wrong key: this address is not listened to for a minute',
    remedy: 'compare its key with SERVER_KEY, or keep it away',
  },
  'too-many-connections': {
    text: 'connections are refused: too many are open',
    remedy: 'raise MAX_CONNECTIONS if this is intended',
  },
  'too-many-of-address': {
    text: 'connections of this address are refused: too many without a key are open',
    remedy: 'name it in TRUSTED_PROXIES if it is a proxy, or raise MAX_CONNECTIONS_PER_ADDRESS',
  },
  'former-key': {
    text: 'this address still uses the former key',
    remedy: 'give it the new one before the former one is unset',
  },
};

/** Of a request whose client has left before its status was known. */
const LEFT = 499;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The tenant of the path; what is none is not written into the log. */
function tenantOf({ params }: FastifyRequest): string | undefined {
  const given: unknown = typeof params === 'object' && params !== null && 'tenant_id' in params ? params.tenant_id : '';
  return typeof given === 'string' && UUID.test(given) ? given : undefined;
}

/** Counts and logs HTTP requests: under the pattern of their route, since paths and queries hold hooks, ids and texts of strangers. */
export function observeRequests(metrics: Metrics, log: Log, logHealth: boolean) {
  let active = 0;
  let dispatches = 0;
  const finished = (request: FastifyRequest, pattern: string, status: number, ms: number, more: object = {}): void => {
    metrics.plugin_http_requests_total.inc({ method: request.method, endpoint: pattern, status: String(status) });
    metrics.plugin_http_request_duration_seconds.observe({ method: request.method, endpoint: pattern }, ms / 1000);
    if (pattern === '/health/check' && !logHealth) return;
    const level = status >= 500 ? 'error' : status >= 400 && status !== LEFT ? 'warn' : 'info';
    if (!log.isLevelEnabled(level)) return;
    const fields = {
      method: request.method,
      path: pattern === '' ? '(no route)' : pattern,
      status,
      latency_ms: Math.round(ms),
      client_ip: request.ip,
      tenant_id: tenantOf(request),
      ...more,
    };
    log[level](fields, 'HTTP request');
  };
  return {
    active: () => active,
    activeDispatches: () => dispatches,
    onDispatchStart: () => void dispatches++,
    onDispatchEnd: () => void dispatches--,
    /** Counts requests from the moment they arrive. */
    watch(server: Server): void {
      server.prependListener('request', (_request, response) => {
        active++;
        response.once('close', () => active--);
      });
    },
    onFinished: (request: FastifyRequest, reply: FastifyReply, pattern: string): void =>
      finished(request, pattern, reply.raw.statusCode, reply.elapsedTime),
    /** The status that was sent, or the one that proxies know for clients that leave before there is one. */
    onLeft: (request: FastifyRequest, { headersSent, statusCode }: ServerResponse, ms: number): void =>
      finished(request, request.routeOptions.url ?? '', headersSent ? statusCode : LEFT, ms, { complete: false }),
    onWarning(warning: HttpWarning, address: string): void {
      const { text, remedy } = warnings[warning];
      log.warn({ client_ip: address, remedy }, text);
    },
    onFault(error: unknown, request: FastifyRequest): void {
      const fields = { method: request.method, path: request.routeOptions.url ?? '', tenant_id: tenantOf(request) };
      if (isFault(error)) log.error({ ...fields, error }, 'request failed');
      // An answer like others, such as "record not found" about a task that is polled and was deleted.
      else log.debug({ ...fields, reason: error instanceof Error ? error.message : '' }, 'request refused');
    },
  };
}
