import {
  AggregatorRegistry,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';
import { registerProcessMetrics } from './process-metrics.ts';

type Labels<Name extends string> = Readonly<Record<Name, string | number>>;

export interface Counter<Name extends string> {
  inc(labels: Labels<Name>, value?: number): void;
}
export interface Gauge<Name extends string> {
  inc(labels: Labels<Name>, value?: number): void;
  dec(labels: Labels<Name>, value?: number): void;
  set(labels: Labels<Name>, value: number): void;
  /** Forgets one series, such as that of a plugin that was uninstalled. */
  remove(labels: Labels<Name>): void;
}
export interface Histogram<Name extends string> {
  /** @param value seconds */
  observe(labels: Labels<Name>, value: number): void;
}

const counter = <const Name extends string>(help: string, labels: readonly Name[]) =>
  ({ kind: 'counter', help, labels }) as const;
/** How the figures of several workers become those of their daemon. */
type Across =
  | 'sum'
  /** Each of them knows it of the whole. */
  | 'max';
const gauge = <const Name extends string>(help: string, labels: readonly Name[], across: Across = 'sum') =>
  ({ kind: 'gauge', help, labels, across }) as const;
const histogram = <const Name extends string>(help: string, labels: readonly Name[]) =>
  ({ kind: 'histogram', help, labels }) as const;

/**
 * The families of docs/wire/state.md#metrics: names and labels are those dashboards already know. `plugin_id` is
 * `unknown` where it cannot be determined; `endpoint` is a route pattern, empty for unknown routes.
 */
const families = {
  plugin_http_requests_total: counter('HTTP requests answered', ['method', 'endpoint', 'status']),
  plugin_http_request_duration_seconds: histogram('Time to answer an HTTP request', ['method', 'endpoint']),
  /** status: success, error, client_disconnect, timeout; each invocation counts once. */
  plugin_invocations_total: counter('Invocations ended', [
    'plugin_id',
    'plugin_type',
    'runtime_type',
    'operation',
    'status',
  ]),
  plugin_invocation_duration_seconds: histogram('Duration of an invocation', [
    'plugin_id',
    'plugin_type',
    'runtime_type',
    'operation',
  ]),
  plugin_invocations_active: gauge('Invocations under way', ['plugin_id', 'plugin_type', 'runtime_type']),
  /** status: success, failed. */
  plugin_installations_total: counter('Installations ended', ['plugin_id', 'status']),
  plugin_installation_duration_seconds: histogram('Duration of an installation', ['plugin_id']),
  plugin_runtime_status: gauge(
    'State of a runtime: 1 active, 0.5 launching, 0 stopped or asleep',
    ['plugin_id', 'runtime_type'],
    'max',
  ),
  /** Of this node. state: running, starting, asleep (a call wakes it), waiting (it failed, and is tried again). */
  plugin_versions: gauge('Versions of plugins that are kept here, by state', ['state']),
  /** 1 for the mode in force: uid+namespace, uid, namespace, none, unsupervised. */
  plugin_isolation: gauge('What holds a plugin in', ['plugin_id', 'mode'], 'max'),
  /** 0 while it sleeps. */
  plugin_instances: gauge('Processes that are kept for a plugin', ['plugin_id']),
  /** reason: rate, breaker, queue (too many wait already). */
  plugin_calls_refused_total: counter('Calls that were not let in', ['plugin_id', 'reason']),
  plugin_calls_waiting: gauge('Calls that wait for a process of a plugin', ['plugin_id']),
  /** way: forked, from a parent that has imported the SDK; templated, from a process that has imported the plugin; or plain. */
  plugin_starts_total: counter('Processes of plugins that became ready', ['plugin_id', 'way']),
  /** outcome: known (shared, no installer was asked), same (installed, and the like was there), new, repaired, own (not shared). */
  plugin_environments_total: counter('Environments of plugins that were made or taken', ['outcome']),
  plugin_parents: gauge('Processes that fork plugins', []),
  plugin_templates: gauge('Processes that have imported a plugin and fork its instances', []),
  active_plugins_total: gauge('Plugins that are ready', ['runtime_type']),
  plugin_restarts_total: counter('Processes of a plugin that run in place of one that ended or was stuck', [
    'plugin_id',
    'runtime_type',
  ]),
  /** Of this daemon alone. origin: exception, rejection; anything but 0 is a bug worth a report. */
  escaped_errors_total: counter('Errors that nothing but the last net caught', ['origin']),
  /** outcome: answered, left (the client), not-started (another node is asked), lost (it may have begun). */
  forwarded_calls_total: counter('Calls that were handed to another node', ['outcome']),
  forwarded_call_duration_seconds: histogram('Duration of a call that was handed to another node', []),
  cluster_nodes: gauge('Nodes that this one knows to live, itself included', [], 'max'),
  cluster_ready_plugins: gauge('Plugins that are ready on other nodes, once for each node', [], 'max'),
  /** Of all nodes together. state: waiting, active, delayed. */
  jobs: gauge('Jobs that some node has to do, such as installations', ['state'], 'max'),
  /** Of this node. outcome: done, failed, postponed, handed-over. */
  jobs_total: counter('Runs of jobs that have ended', ['kind', 'outcome']),
  cluster_debugging_plugins: gauge('Plugins that are debugged on other nodes', [], 'max'),
  /** Of all workers of this daemon, itself included; 1 without WORKERS. */
  workers: gauge('Worker processes that serve', [], 'max'),
  worker_restarts: gauge('Worker processes that took the place of one that died, since the daemon started', [], 'max'),
  active_sessions_total: gauge('Sessions that are open', []),
  /** Of the SRI. state: running, starting. */
  function_instances: gauge('Instances of a function', ['plugin_id', 'function', 'state']),
  function_waiting_calls: gauge('Calls that wait for an instance of a function', ['plugin_id', 'function']),
  /** cold: a call waited for it. */
  function_start_duration_seconds: histogram('Time from the wish for an instance to its readiness', [
    'plugin_id',
    'cold',
  ]),
  /** status: success, failed. */
  function_launches_total: counter('Launches of functions ended', ['plugin_id', 'status']),
  function_launch_duration_seconds: histogram('Duration of a launch with its build', ['plugin_id']),
  /** outcome: answered, tried-again, function-failed, unanswered. */
  plugin_function_requests_total: counter('Requests to functions, by what came of them', ['plugin_id', 'outcome']),
  /** outcome: found, built, failed. */
  plugin_function_launches_total: counter('Functions asked of the connector', ['plugin_id', 'outcome']),
  plugin_function_connector_up: gauge('Whether the connector answered when it was asked last', [], 'max'),
  /** outcome: served, forwarded, unknown-session, unreachable, wrong-secret, foreign-session, malformed, timeout, left. */
  plugin_function_calls_back_total: counter('Calls of functions back into the daemon', ['outcome']),
  storage_operations_total: counter('Operations on the object storage', ['operation', 'storage_type', 'status']),
  storage_operation_duration_seconds: histogram('Duration of an operation on the object storage', [
    'operation',
    'storage_type',
  ]),
} as const;

type Families = typeof families;
type FamilyOf<Spec> = Spec extends { kind: 'counter'; labels: readonly (infer Name extends string)[] }
  ? Counter<Name>
  : Spec extends { kind: 'gauge'; labels: readonly (infer Name extends string)[] }
    ? Gauge<Name>
    : Spec extends { kind: 'histogram'; labels: readonly (infer Name extends string)[] }
      ? Histogram<Name>
      : never;

/** One recorder for each family, by its name. */
export type Metrics = { readonly [Name in keyof Families]: FamilyOf<Families[Name]> } & {
  /** The page of `/metrics/`. */
  render(): Promise<string>;
  /** The same as values, for `renderMerged`. */
  collect(): Promise<MetricValues>;
  readonly contentType: string;
};

/** Figures of one process: as they are, for `renderMerged`. */
export type MetricValues = readonly object[];

/** The page of the figures of all workers together. */
export const renderMerged = (all: readonly MetricValues[]): Promise<string> =>
  AggregatorRegistry.aggregate([...all]).metrics();

export interface MetricsOptions {
  /** false: recording costs nothing and the page is empty. */
  readonly enabled: boolean;
  /** Adds the figures of process and Node runtime; one set of metrics a process should. */
  readonly processMetrics?: boolean;
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function createMetrics({ enabled, processMetrics = false }: MetricsOptions): Metrics {
  const registry = new Registry();
  if (enabled && processMetrics) registerProcessMetrics(registry);
  const recorders: Record<string, unknown> = Object.fromEntries(
    Object.entries(families).map(([name, spec]) => [name, enabled ? create(registry, name, spec) : nothing]),
  );
  // The entries above have the keys of the table, and each recorder is of its row's kind.
  const named = recorders as { readonly [Name in keyof Families]: FamilyOf<Families[Name]> };
  return {
    ...named,
    render: () => registry.metrics(),
    collect: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}

function create(registry: Registry, name: string, family: Families[keyof Families]) {
  const { kind, help, labels } = family;
  const options = { name, help, labelNames: labels, registers: [registry] };
  switch (kind) {
    case 'counter':
      return new PromCounter(options);
    case 'gauge':
      return new PromGauge({ ...options, aggregator: family.across });
    case 'histogram':
      return new PromHistogram({ ...options, buckets });
  }
}

const ignore = (): void => {};
const nothing = { inc: ignore, dec: ignore, set: ignore, remove: ignore, observe: ignore };
