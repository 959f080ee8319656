/**
 * The one place where drivers are chosen and parts are wired. Everything below gets its parts and its options through its
 * constructor; nothing else reads the settings.
 */
import { mkdirSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { decodeDeclaration, type PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { FastifyRequest } from 'fastify';
import { v7 as newId } from 'uuid';
import {
  createBackwardsInvocations,
  createSettingsCipher,
  DifyClient,
  PluginStorage,
} from './backwards-invocation/index.ts';
import { type DataDirectory, openDataDirectory, type Settings } from './config/index.ts';
import type { Database } from './database/index.ts';
import { openDatabase } from './database/index.ts';
import { EndpointService } from './endpoints/index.ts';
import { PythonEnvironments } from './environments/index.ts';
import { DaemonError } from './errors/index.ts';
import { assetRoutes } from './http/assets/index.ts';
import { dispatchRoutes } from './http/dispatch/index.ts';
import { endpointRoutes } from './http/endpoints/index.ts';
import { healthRoutes } from './http/health/index.ts';
import { createHttpServer, type HttpServer } from './http/index.ts';
import { managementRoutes } from './http/management/index.ts';
import { webhookRoutes } from './http/webhooks/index.ts';
import { createInstallation, type Installation, PackageStore } from './installation/index.ts';
import { Invocations, type RuntimeDirectory } from './invocation/index.ts';
import { observeInvocations, observePlugins, observeRequests } from './observation.ts';
import { pluginEnvironment } from './runtimes/local/index.ts';
import { createProcessLauncher, type ProcessLauncher } from './runtimes/local/launcher/index.ts';
import { measured, openLocalStorage } from './storage/index.ts';
import { createPluginStarter, LocalSupervisor } from './supervision/index.ts';
import { createLog, createMetrics, type Metrics, type OwnedLog, TraceContext } from './telemetry/index.ts';

/** A running daemon. */
export interface Daemon {
  readonly log: OwnedLog;
  readonly dataDirectory: DataDirectory;
  readonly address: AddressInfo;
  /** Stops taking work, lets what is open finish until `signal` aborts, ends plugins, closes everything. Idempotent. */
  stop(signal: AbortSignal): Promise<void>;
}

const MIB = 1024 * 1024;
/** Uploads that are being read hold at most this much memory together. */
const UPLOAD_BUDGET_BYTES = 128 * MIB;
const LIVENESS = { warnAfterMs: 60_000, deadAfterMs: 120_000, lookEveryMs: 30_000 };
const GRACE_MS = 2000;
const DESIRED_LOOK_MS = 30_000;

/**
 * Opens everything and starts serving.
 * @param environment what the process was started with, for plugins and tools
 * @throws SettingsError or DaemonError with cause and remedy; everything opened is closed again
 */
export async function startDaemon(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Daemon> {
  const closers: (() => void | Promise<void>)[] = [];
  const closing = <T>(part: T, close: (part: T) => void | Promise<void>): T => {
    closers.push(() => close(part));
    return part;
  };
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await wire(settings, environment, closing, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

type Closing = <T>(part: T, close: (part: T) => void | Promise<void>) => T;

async function wire(
  settings: Settings,
  environment: Readonly<Record<string, string | undefined>>,
  closing: Closing,
  closeAll: () => Promise<void>,
): Promise<Daemon> {
  const dataDirectory = closing(openDataDirectory(settings), (d) => d.close());
  const serverKey = dataDirectory.serverKey.value;
  const log = closing(
    createLog({
      level: settings.LOG_LEVEL,
      format: settings.LOG_OUTPUT_FORMAT,
      file: settings.LOG_FILE,
      timeZone: settings.SERVER_TZ,
      secrets: [serverKey, dataDirectory.difyInnerApiKey.value, settings.ADMIN_API_KEY],
    }),
    (l) => l.close(),
  );
  for (const { variables, message } of settings.warnings) log.warn({ variables }, message);
  const metrics = createMetrics({ enabled: settings.PROMETHEUS_ENABLED, processMetrics: true });
  const database = closing(await openDatabase({ file: dataDirectory.databaseFile }), (d) => d.close());
  const objects = measured(await openLocalStorage({ root: settings.PLUGIN_STORAGE_LOCAL_ROOT }), metrics);

  const dify = closing(
    new DifyClient({
      url: settings.DIFY_INNER_API_URL,
      key: dataDirectory.difyInnerApiKey.value,
      readTimeoutMs: settings.DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT,
      writeTimeoutMs: settings.DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT,
      maxResponseBytes: settings.RESPONSE_MAX_BUFFER_SIZE,
    }),
    (d) => d.close(),
  );
  const storage = new PluginStorage({
    objects,
    quotas: database.tenantStorages,
    prefix: settings.PERSISTENCE_STORAGE_PATH,
    maxSize: settings.PERSISTENCE_STORAGE_MAX_SIZE,
  });
  const backwards = createBackwardsInvocations({
    dify,
    storage,
    log: log.child({ component: 'backwards-invocation' }),
  });

  const launcher = closing(createProcessLauncher(), (l) => l.close());
  const supervisor = closing(
    localSupervisor({ settings, environment, dataDirectory, log, metrics, database, objects, launcher }),
    (s) => s.close(),
  );
  const installation = createInstallation(
    { database, objects, plugins: supervisor, log: log.child({ component: 'installation' }) },
    installationOptions(settings),
  );
  await installation.start();
  closing(installation, (i) => i.close());

  const invocations = new Invocations({
    runtimes: runtimeDirectory(supervisor, database),
    backwards,
    limits: { totalSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT, idleSeconds: settings.PLUGIN_IDLE_TIMEOUT },
    ...observeInvocations(metrics, log.child({ component: 'invocation' })),
  });
  const endpoints = new EndpointService({
    database,
    cipher: createSettingsCipher(dify),
    newId,
    log: log.child({ component: 'endpoints' }),
  });
  const http = await httpServer({
    settings,
    serverKey,
    dataDirectory,
    log,
    metrics,
    database,
    installation,
    invocations,
    endpoints,
    supervisor,
  });
  const address = await http.listen();
  supervisor.begin();

  let stopping: Promise<void> | undefined;
  return {
    log,
    dataDirectory,
    address,
    stop: (signal) => {
      stopping ??= stop(http, invocations, closeAll, signal);
      return stopping;
    },
  };
}

async function stop(
  http: HttpServer,
  invocations: Invocations,
  closeAll: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  // New connections are refused from here on; open calls may finish.
  const closed = http.close(signal);
  await invocations.drained(signal);
  invocations.abortAll(new DaemonError('runtime-unavailable', 'the daemon is stopping: plugin runtime not found'));
  await closed;
  await closeAll();
}

interface SupervisorParts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dataDirectory: DataDirectory;
  readonly log: OwnedLog;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly objects: ConstructorParameters<typeof PackageStore>[0];
  readonly launcher: ProcessLauncher;
}

function localSupervisor({
  settings,
  environment,
  dataDirectory,
  log,
  metrics,
  database,
  objects,
  launcher,
}: SupervisorParts): LocalSupervisor {
  const packages = new PackageStore(objects, prefixes(settings));
  const proxies = { http: settings.HTTP_PROXY, https: settings.HTTPS_PROXY, no: settings.NO_PROXY };
  const environments = new PythonEnvironments({
    workingPath: settings.PLUGIN_WORKING_PATH,
    toolsDirectory: dataDirectory.toolsPath,
    launcher,
    log: log.child({ component: 'environments' }),
    environment,
    pythonInterpreterPath: settings.PYTHON_INTERPRETER_PATH,
    uvPath: settings.UV_PATH,
    inactivitySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
    compileAllExtraArgs: settings.PYTHON_COMPILE_ALL_EXTRA_ARGS,
    extraArgs: settings.PIP_EXTRA_ARGS,
    verbose: settings.PIP_VERBOSE,
    ignoreLock: settings.PLUGIN_IGNORE_UV_LOCK,
    mirror: {
      url: settings.PIP_MIRROR_URL,
      autoDetect: settings.PIP_MIRROR_AUTO_DETECT,
      candidates: settings.PIP_MIRROR_CANDIDATES,
      timeoutSeconds: settings.PIP_MIRROR_AUTO_DETECT_TIMEOUT,
    },
    proxies,
  });
  const start = createPluginStarter({
    environments,
    declarationOf: (identifier) => declarationOf(database, identifier),
    readPackage: (identifier) => packages.readPackage(identifier),
    environment: pluginEnvironment(environment, {
      proxies,
      passthrough: settings.PLUGIN_ENV_PASSTHROUGH,
      inheritAll: settings.PLUGIN_ENV_INHERIT_ALL,
    }),
    runtime: {
      launcher,
      log: log.child({ component: 'plugin' }),
      readySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
      maxMessageBytes: settings.PLUGIN_MAX_MESSAGE_BYTES,
      liveness: { ...LIVENESS, hopelessAfterMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * 1000 },
      graceMs: GRACE_MS,
    },
    buildsAtOnce: settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT,
    startsAtOnce: Math.max(settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT, availableParallelism()),
  });
  return new LocalSupervisor({
    start,
    desired: () => database.installations.identifiersInUse({ runtimeType: 'local' }),
    isDesired: async (identifier) => (await database.installations.countByIdentifier(identifier)) > 0,
    drainSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT,
    lookEveryMs: DESIRED_LOOK_MS,
    log: log.child({ component: 'supervision' }),
    onState: observePlugins(metrics),
  });
}

const prefixes = (settings: Settings) => ({
  packages: settings.PLUGIN_PACKAGE_CACHE_PATH,
  installed: settings.PLUGIN_INSTALLED_PATH,
  media: settings.PLUGIN_MEDIA_CACHE_PATH,
});

function installationOptions(settings: Settings): Parameters<typeof createInstallation>[1] {
  return {
    prefixes: prefixes(settings),
    signatures: {
      maxPackageBytes: settings.MAX_PLUGIN_PACKAGE_SIZE,
      forceVerification: settings.FORCE_VERIFYING_SIGNATURE,
      thirdPartyKeys: settings.THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED,
      publicKeyFiles: settings.THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS,
      protectLanggenius: settings.ENFORCE_LANGGENIUS_PLUGIN_SIGNATURES,
    },
    reader: { mediaEntries: settings.PLUGIN_MEDIA_CACHE_SIZE, assetEntries: settings.PLUGIN_ASSET_CACHE_SIZE },
    // Alone with its database: whatever carries this name was begun by a former life of this daemon.
    tasks: { owner: 'embedded', timeoutMs: settings.PLUGIN_INSTALL_TIMEOUT * 60_000 },
    uploadBudget: UPLOAD_BUDGET_BYTES,
  };
}

async function declarationOf(database: Database, identifier: string): Promise<PluginDeclaration> {
  const stored = await database.declarations.find(identifier);
  if (stored === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return decodeDeclaration(stored.value);
}

function runtimeDirectory(supervisor: LocalSupervisor, database: Database): RuntimeDirectory {
  return {
    peek: (_tenantId, identifier) => supervisor.peek(identifier),
    ready: (_tenantId, identifier, signal) => supervisor.ready(identifier, signal),
    declaration: (identifier) => declarationOf(database, identifier),
  };
}

interface HttpParts {
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
}

async function httpServer({
  settings,
  serverKey,
  dataDirectory,
  log,
  metrics,
  database,
  installation,
  invocations,
  endpoints,
  supervisor,
}: HttpParts): Promise<HttpServer> {
  const spillDirectory = join(dataDirectory.path, 'tmp');
  rmSync(spillDirectory, { recursive: true, force: true });
  mkdirSync(spillDirectory, { recursive: true, mode: 0o700 });
  const requests = observeRequests(metrics, log.child({ component: 'http' }), settings.HEALTH_API_LOG_ENABLED);
  const { installations } = database;
  const server = await createHttpServer({
    host: settings.SERVER_HOST,
    port: settings.SERVER_PORT,
    serverKey,
    ...(settings.ADMIN_API_ENABLED && settings.ADMIN_API_KEY !== undefined && { adminKey: settings.ADMIN_API_KEY }),
    onFinished: requests.onFinished,
    onFault: requests.onFault,
    routes: [
      ...dispatchRoutes({
        invocations,
        installed: (tenantId, pluginId) =>
          installations.peek(tenantId, pluginId)?.plugin_unique_identifier ??
          installations.find(tenantId, pluginId).then((found) => found?.plugin_unique_identifier),
        maxBodyBytes: settings.MAX_DISPATCH_BODY_BYTES,
        maxWaitingBytes: settings.SESSION_BUFFER_BYTES,
        spillDirectory,
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
      ...(settings.PLUGIN_ENDPOINT_ENABLED
        ? webhookRoutes({
            database,
            endpoints,
            invocations,
            timeoutMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * 1000,
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
    ],
  });
  requests.watch(server.app.server);
  return server;
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
