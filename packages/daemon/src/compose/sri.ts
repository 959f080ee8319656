/** The server of the serverless runtime interface, wired from the same settings and parts as the daemon. */

import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { pluginEnvironment } from '@plugin-daemon/plugin-host/runtimes/local';
import { messageOf } from '@plugin-daemon/values';
import {
  isLoopback,
  openSriDirectory,
  type Settings,
  type SriDirectory,
  secretSettings,
  secretValues,
} from '../config/index.ts';
import { PackageWorkshop, SignaturePolicy } from '../installation/index.ts';
import {
  type Backend,
  FunctionBuilder,
  FunctionStore,
  Functions,
  functionRoutes,
  interfaceRoutes,
  SessionSecrets,
  SriServer,
  stateRoutes,
} from '../sri/index.ts';
import { openStorage } from '../storage/index.ts';
import { Housekeeping } from '../supervision/index.ts';
import { createMetrics, type Metrics, type OwnedLog } from '../telemetry/index.ts';
import { limits } from './http.ts';
import { isolation } from './isolation.ts';
import { installationOptions, parentsOf, proxies, pythonEnvironments } from './local-plugins.ts';
import { openLog } from './log.ts';
import { newId } from './new-id.ts';
import { functionBackend } from './sri-backend.ts';
import { observeFunctions } from './sri-observation.ts';

/** A running server of the serverless runtime interface. */
export interface Sri {
  readonly log: OwnedLog;
  readonly metrics: Metrics;
  readonly directory: SriDirectory;
  readonly address: AddressInfo;
  /** Calls and launches under way. */
  readonly openCalls: number;
  /** Takes nothing new, lets what is open finish until `signal` aborts, ends every instance, closes everything. Idempotent. */
  stop(signal: AbortSignal): Promise<void>;
}

const MIB = 1024 * 1024;
const UPLOADS_BYTES = 256 * MIB;
const BODIES_BYTES = 256 * MIB;
const HEALTH_EVERY_MS = 10_000;
const SECOND = 1000;

/**
 * Opens everything and starts serving.
 * @param environment what the process was started with, for plugins and tools
 * @throws SettingsError or DaemonError with cause and remedy; everything opened is closed again
 */
export async function startSri(
  given: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Sri> {
  await using opened = new AsyncDisposableStack();
  const directory = opened.adopt(openSriDirectory(given), (d) => d.close());
  // What it shares with the daemon lies in a directory of its own: two that clean up the same one would remove each other's.
  const settings: Settings = {
    ...given,
    PLUGIN_WORKING_PATH: directory.workingPath,
    PLUGIN_STORAGE_LOCAL_ROOT: directory.storagePath,
  };
  const secrets = [directory.key.value, directory.formerKey ?? '', ...secretValues(settings)];
  let serving = false;
  const log = opened.adopt(openLog(settings, secrets), (l) => {
    if (serving) l.info('stopped');
    l.close();
  });
  for (const { variables, message } of settings.warnings) log.warn({ variables }, message);
  const metrics = createMetrics({ enabled: settings.PROMETHEUS_ENABLED, processMetrics: true });
  const objects = opened.adopt(
    await openStorage({ type: 'local', root: directory.storagePath, nodeId: newId() }),
    (storage) => storage.close(),
  );
  const launcher = createProcessLauncher({
    python: settings.PYTHON_INTERPRETER_PATH,
    ...(environment.PATH !== undefined && { searchPath: environment.PATH }),
    onFallback: (reason) => log.warn({ reason }, 'functions are started without the helper process'),
    onHung: () =>
      log.error(
        'the process that starts functions does not answer and is ended, with the functions that it has started',
      ),
  });
  const cages = opened.adopt(
    isolation(settings, { dataDirectory: directory, launcher, log: log.child({ component: 'isolation' }), metrics }),
    (c) => c.close(),
  );
  opened.adopt(launcher, (l) => l.close());
  const environments = opened.adopt(
    pythonEnvironments({
      settings,
      environment,
      toolsPath: directory.toolsPath,
      log,
      launcher,
      readOnlyForPlugins: () => cages.plugins.keepsEnvironments(),
      // Containers and pods see the directory of their function alone.
      share: settings.PLUGIN_SHARED_ENVIRONMENTS && settings.SRI_BACKEND === 'process',
      compilesItself: async () => settings.SRI_BACKEND === 'process' && (await cages.plugins.ownTheirFiles()),
      buildCage: (request) => cages.builds.enter(request),
    }),
    (e) => e.close(),
  );
  const workshop = opened.adopt(new PackageWorkshop(), (w) => w.close());
  const policy = new SignaturePolicy(
    installationOptions(settings, '').signatures,
    log.child({ component: 'packages' }),
  );
  await policy.check();
  const sriLog = log.child({ component: 'sri' });
  const pluginVariables = pluginEnvironment(environment, {
    proxies: proxies(settings),
    passthrough: settings.PLUGIN_ENV_PASSTHROUGH,
    secrets: secretSettings,
    inheritAll: settings.PLUGIN_ENV_INHERIT_ALL,
  });
  const parents = opened.adopt(
    // In containers and pods nothing is forked; a relay is no plugin.
    settings.SRI_BACKEND === 'process' && settings.SRI_EGRESS === 'all'
      ? parentsOf({ settings, launcher, environments, pluginVariables, log, metrics })
      : undefined,
    (p) => p?.close(),
  );
  const sessionSecrets = new SessionSecrets();
  const backend = functionBackend({
    pluginVariables,
    parents,
    secrets: sessionSecrets,
    settings,
    environment,
    directory,
    launcher,
    cages,
    log: log.child({ component: 'plugin' }),
  });
  const store = new FunctionStore(objects, sriLog);
  const observed = observeFunctions(metrics);
  const functions = new Functions({
    store,
    builder: new FunctionBuilder({
      workshop,
      policy,
      environments,
      store,
      workingPath: directory.workingPath,
      showsShared: backend.showsShared,
      buildsAtOnce: settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT,
      log: sriLog,
    }),
    backend,
    scaling: scalingOf(settings),
    launches: { timeoutMs: settings.SRI_LAUNCH_TIMEOUT * SECOND, onEnd: observed.onLaunchEnd },
    startsAtOnce: Math.max(settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT, availableParallelism()),
    maxFunctions: settings.SRI_MAX_FUNCTIONS,
    events: observed.functions,
    log: sriLog,
  });
  opened.adopt(functions, (f) => f.close(AbortSignal.abort()));
  await functions.open();
  signal.throwIfAborted();
  opened.adopt(
    new Housekeeping({
      environments,
      inUse: async () => functions.identifiers,
      onCollected: () => cages.plugins.forgetUsers((identifier) => environments.isThere(identifier)),
      retentionHours: settings.PLUGIN_ENVIRONMENT_RETENTION,
      log: sriLog,
    }),
    (h) => h.close(),
  );
  const server = opened.adopt(
    new SriServer({
      host: settings.SRI_HOST,
      port: settings.SRI_PORT,
      keys: [directory.key.value, directory.formerKey],
      detailsOpen:
        settings.DETAILS_ACCESS === 'open' || (settings.DETAILS_ACCESS === 'auto' && isLoopback(settings.SRI_HOST)),
      limits: limits(settings),
      routes: [
        ...functionRoutes({
          functions,
          maxRequestBytes: settings.SRI_MAX_REQUEST_BYTES,
          bodies: new ByteBudget({ what: 'bodies of calls', total: BODIES_BYTES }),
          timeoutMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * SECOND,
          // Where what functions send back passes here.
          secrets: settings.SRI_BACKEND === 'container' || settings.SRI_EGRESS !== 'all' ? sessionSecrets : undefined,
          ...observed.calls,
        }),
        ...interfaceRoutes({
          functions,
          uploads: new ByteBudget({ what: 'packages', total: UPLOADS_BYTES }),
          maxPackageBytes: settings.MAX_PLUGIN_PACKAGE_SIZE,
          publicUrl: settings.SRI_PUBLIC_URL,
        }),
        ...stateRoutes({
          functions,
          problem: (asking) => problemOf(objects, backend, asking),
          metrics: settings.PROMETHEUS_ENABLED
            ? async () => ({ type: metrics.contentType, text: await metrics.render() })
            : undefined,
        }),
      ],
      log: log.child({ component: 'http' }),
      onFinished: observed.onRequestEnd(log.child({ component: 'http' })),
    }),
    (s) => s.close(AbortSignal.abort()),
  );
  const address = await server.listen();
  serving = true;
  const parts = opened.move();

  let stopping: Promise<void> | undefined;
  return {
    log,
    metrics,
    directory,
    address,
    get openCalls() {
      return functions.openCalls;
    },
    stop: (hurry) => {
      stopping ??= stop(server, functions, parts, hurry);
      return stopping;
    },
  };
}

async function stop(
  server: SriServer,
  functions: Functions,
  parts: AsyncDisposableStack,
  hurry: AbortSignal,
): Promise<void> {
  functions.beginStop();
  const closed = server.close(hurry);
  await functions.close(hurry);
  await closed;
  await parts.disposeAsync();
}

const scalingOf = (settings: Settings) => ({
  rule: {
    min: settings.SRI_MIN_INSTANCES,
    max: Math.max(settings.SRI_MAX_INSTANCES, settings.SRI_MIN_INSTANCES),
    target: settings.SRI_TARGET_CONCURRENCY,
    idleMs: settings.SRI_IDLE_TIMEOUT * SECOND,
    stableMs: settings.SRI_STABLE_WINDOW * SECOND,
    burstMs: Math.min(settings.SRI_BURST_WINDOW, settings.SRI_STABLE_WINDOW) * SECOND,
  },
  callsPerInstance: Math.max(settings.SRI_MAX_CONCURRENCY, settings.SRI_TARGET_CONCURRENCY),
  queueLimit: settings.SRI_QUEUE_LIMIT,
  queueTimeoutMs: settings.SRI_QUEUE_TIMEOUT * SECOND,
  drainMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * SECOND,
  healthEveryMs: HEALTH_EVERY_MS,
});

async function problemOf(
  objects: { problem(): Promise<string | undefined> },
  backend: Backend,
  signal: AbortSignal,
): Promise<string | undefined> {
  const stored = await objects.problem();
  if (stored !== undefined) return stored;
  try {
    await backend.check(signal);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
