import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Cache } from '../cache/index.ts';
import type { Settings } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import type { EventBus } from '../events/index.ts';
import { FunctionBuilder, Functions, keyIn, SriClient, SriWatch } from '../functions/index.ts';
import type { PackageStore } from '../installation/index.ts';
import { type InvocationsOptions, SessionRegistry } from '../invocation/index.ts';
import { FunctionRuntimes } from '../runtimes/serverless/index.ts';
import { type Metrics, type OwnedLog, type PluginJournal, TraceContext } from '../telemetry/index.ts';

/** Entries of sessions; longer where sessions may be. */
const UPSTREAM_LIFETIME_MS = 30 * 60_000;

export interface FunctionsParts {
  readonly settings: Settings;
  readonly log: OwnedLog;
  readonly journal: PluginJournal;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly cache: Cache;
  readonly packages: PackageStore;
  readonly budgets: PluginBudgets;
}

/** The serverless platform: the client of its connector, what brings functions up, and the way to them. */
export interface ServerlessPlatform {
  readonly functions: Functions;
  readonly runtimes: FunctionRuntimes;
  readonly watch: SriWatch;
  close(): Promise<void>;
}

/** The client of the connector that the settings name; for a start and for a check alike. */
export function sriClient(settings: Settings): SriClient {
  const file = settings.DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY_FILE;
  const key = settings.DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY ?? '';
  return new SriClient({
    url: settings.DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL ?? '',
    key: () => (file === undefined ? key : keyIn(file)),
    traceparent: () => TraceContext.from(undefined).traceparent,
  });
}

/** @returns undefined on the local platform */
export function serverlessPlatform(parts: FunctionsParts): ServerlessPlatform | undefined {
  const { settings, journal, metrics, database, cache, packages, budgets } = parts;
  if (settings.PLATFORM !== 'serverless') return undefined;
  const log = parts.log.child({ component: 'functions' });
  const sri = sriClient(settings);
  const functions = new Functions({
    builder: new FunctionBuilder({
      sri,
      cache,
      openPackage: (identifier, signal) => packages.openPackage(identifier, signal),
      isVerified: async (identifier) => (await database.declarations.find(identifier))?.value['verified'] === true,
      launchMs: settings.DIFY_PLUGIN_SERVERLESS_CONNECTOR_LAUNCH_TIMEOUT * 1000,
      log,
      onLaunch: (identifier, outcome) =>
        metrics.plugin_function_launches_total.inc({ plugin_id: parseUniqueIdentifier(identifier).pluginId, outcome }),
    }),
    rows: database.serverlessRuntimes,
    plugins: database.plugins,
    log,
  });
  const runtimes = new FunctionRuntimes({
    rows: database.serverlessRuntimes,
    recover: (identifier) => functions.recover(identifier),
    attempts: settings.MAX_SERVERLESS_RETRY_TIMES,
    maxRequestBytes: settings.MAX_SERVERLESS_REQUEST_BYTES,
    maxMessageBytes: settings.PLUGIN_MAX_MESSAGE_BYTES,
    budgets,
    log: journal.listeningTo(parts.log.child({ component: 'plugin' })),
    onAttempt: (pluginId, outcome) => metrics.plugin_function_requests_total.inc({ plugin_id: pluginId, outcome }),
  });
  const watch = new SriWatch({
    sri,
    log,
    onState: (isThere) => metrics.plugin_function_connector_up.set({}, isThere ? 1 : 0),
  });
  return {
    functions,
    runtimes,
    watch,
    async close() {
      await watch.close();
      await runtimes.close();
      await sri.close();
    },
  };
}

/** Where other nodes find who holds a session; undefined where there are none, or no functions that could reach them. */
export function sessionRegistry(
  settings: Settings,
  parts: {
    readonly serverless: ServerlessPlatform | undefined;
    readonly events: EventBus | undefined;
    readonly cache: Cache;
    readonly nodeId: string;
    readonly log: OwnedLog;
  },
): SessionRegistry | undefined {
  const { serverless, events, cache, nodeId } = parts;
  if (serverless === undefined || events === undefined) return undefined;
  const lifetimeMs = Math.max(UPSTREAM_LIFETIME_MS, (settings.PLUGIN_MAX_EXECUTION_TIMEOUT + 60) * 1000);
  return new SessionRegistry({ cache, nodeId, lifetimeMs, log: parts.log.child({ component: 'invocation' }) });
}

type Hooks = Pick<InvocationsOptions, 'onOpened' | 'onClosed' | 'onFault'>;

/** The hooks of invocations, which also tell other nodes of sessions. */
export function registered(registry: SessionRegistry | undefined, hooks: Hooks): Hooks {
  if (registry === undefined) return hooks;
  return {
    ...hooks,
    onOpened: (session) => {
      registry.add(session);
      hooks.onOpened(session);
    },
    onClosed: (session, outcome) => {
      registry.remove(session);
      hooks.onClosed(session, outcome);
    },
  };
}
