/** What happens to functions, told to metrics and log. */

import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { dispatchActions, invokeEndpoint } from '../invocation/index.ts';
import type { FunctionRecord, FunctionsOptions, Outcome } from '../sri/index.ts';
import type { Log, Metrics } from '../telemetry/index.ts';

const RUNTIME = 'serverless';
/** Callers name the action; what is none is not taken into the labels. */
const actions: ReadonlyMap<string, string> = new Map(
  [...dispatchActions, invokeEndpoint].map(({ action, type }) => [action, type]),
);

export function observeFunctions(metrics: Metrics) {
  const running = new Set<string>();
  const labelsOf = ({ pluginId, name }: FunctionRecord) => ({ plugin_id: pluginId, function: name });
  const callLabels = ({ pluginId }: FunctionRecord, action: string) => ({
    plugin_id: pluginId,
    plugin_type: actions.get(action) ?? 'unknown',
    runtime_type: RUNTIME,
    operation: actions.has(action) ? action : 'unknown',
  });
  const counts: FunctionsOptions['events']['onCounts'] = (record, { running: ready, starting, waiting }) => {
    const labels = labelsOf(record);
    metrics.function_instances.set({ ...labels, state: 'running' }, ready);
    metrics.function_instances.set({ ...labels, state: 'starting' }, starting);
    metrics.function_waiting_calls.set(labels, waiting);
    if (ready > 0) running.add(record.name);
    else running.delete(record.name);
    const status = ready > 0 ? 1 : starting > 0 ? 0.5 : 0;
    metrics.plugin_runtime_status.set({ plugin_id: record.pluginId, runtime_type: RUNTIME }, status);
    metrics.active_plugins_total.set({ runtime_type: RUNTIME }, running.size);
  };
  const functions: FunctionsOptions['events'] = {
    onCounts: counts,
    onStarted: ({ pluginId }, seconds, cold) =>
      metrics.function_start_duration_seconds.observe({ plugin_id: pluginId, cold: String(cold) }, seconds),
    onLost: ({ pluginId }) => metrics.plugin_restarts_total.inc({ plugin_id: pluginId, runtime_type: RUNTIME }),
    onRemoved: (record) => {
      const labels = labelsOf(record);
      for (const state of ['running', 'starting']) metrics.function_instances.remove({ ...labels, state });
      metrics.function_waiting_calls.remove(labels);
    },
  };
  return {
    functions,
    calls: {
      onCall: (_record: FunctionRecord) => metrics.active_sessions_total.inc({}),
      onCallEnd: (record: FunctionRecord, action: string, outcome: Outcome, seconds: number) => {
        const labels = callLabels(record, action);
        metrics.active_sessions_total.dec({});
        metrics.plugin_invocations_total.inc({ ...labels, status: outcome });
        metrics.plugin_invocation_duration_seconds.observe(labels, seconds);
      },
    },
    onLaunchEnd: ({ identifier, status, seconds }: Parameters<FunctionsOptions['launches']['onEnd']>[0]) => {
      const { pluginId } = parseUniqueIdentifier(identifier);
      metrics.function_launches_total.inc({ plugin_id: pluginId, status });
      metrics.function_launch_duration_seconds.observe({ plugin_id: pluginId }, seconds);
    },
    onRequestEnd: (log: Log) => (method: string, endpoint: string, status: number, seconds: number) => {
      metrics.plugin_http_requests_total.inc({ method, endpoint, status: String(status) });
      metrics.plugin_http_request_duration_seconds.observe({ method, endpoint }, seconds);
      const level =
        status >= 500
          ? 'error'
          : status >= 400
            ? 'warn'
            : endpoint === '/livez' || endpoint === '/readyz'
              ? 'debug'
              : 'info';
      // Under the pattern: addresses of functions are secrets.
      if (log.isLevelEnabled(level))
        log[level](
          { method, path: endpoint === '' ? '(no route)' : endpoint, status, latency_ms: Math.round(seconds * 1000) },
          'HTTP request',
        );
    },
  };
}
