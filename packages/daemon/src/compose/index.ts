/**
 * The one place where drivers are chosen and parts are wired. Everything below gets its parts and its options through its
 * constructor; nothing else reads the settings. Called by main.ts and by tests that need a whole daemon.
 */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createProcessLauncher, explainPid1 } from '@plugin-daemon/plugin-host/launcher';
import { v7 as newId } from 'uuid';
import { AuditLog } from '../audit/index.ts';
import {
  createBackwardsInvocations,
  createSettingsCipher,
  DifyClient,
  PluginStorage,
} from '../backwards-invocation/index.ts';
import {
  type DataDirectory,
  debuggingKeysFile,
  isPublished,
  openDataDirectory,
  openWorkerDirectory,
  type Settings,
  secretValues,
  writeAddressFile,
} from '../config/index.ts';
import { EndpointService } from '../endpoints/index.ts';
import { createInstallation } from '../installation/index.ts';
import { Admission, Invocations } from '../invocation/index.ts';
import { Routing } from '../routing/index.ts';
import {
  DebuggingKeys,
  DebuggingRuntimes,
  DebuggingServer,
  type KeptKeys,
  KeyFile,
  removeAbandoned,
} from '../runtimes/debugging/index.ts';
import { measured, objectKey } from '../storage/index.ts';
import { RecentUse } from '../supervision/index.ts';
import { createMetrics, type Metrics, type OwnedLog, PluginJournal, SecretFilter } from '../telemetry/index.ts';
import type { PrimaryCalls } from '../workers/index.ts';
import { budgetsOf } from './budgets.ts';
import { provideDatabase } from './database.ts';
import { openObjects } from './drivers.ts';
import { registered, serverlessPlatform, sessionRegistry } from './functions.ts';
import { httpServers } from './http.ts';
import { readiness, tellOfInstallations } from './installation-news.ts';
import { isolation } from './isolation.ts';
import { observeJobs, openJobs } from './jobs.ts';
import { installationOptions, localPlugins, packageStore } from './local-plugins.ts';
import { openLog } from './log.ts';
import { Nodes } from './nodes.ts';
import { observeInstallations, observeInvocations } from './observation.ts';
import { openShared } from './shared.ts';
import { Shutdown } from './shutdown.ts';
import { settingsOf, sharesThroughPrimary, type WorkerSeat } from './worker-seat.ts';
import { Siblings } from './worker-siblings.ts';

export { checkDaemon, type Finding } from './check.ts';
export { databaseOptions } from './database.ts';
export { openLog } from './log.ts';
export { nodeNameOf } from './nodes.ts';
export { type Sri, startSri } from './sri.ts';
export type { WorkerSeat } from './worker-seat.ts';

/** A running daemon. */
export interface Daemon {
  readonly log: OwnedLog;
  readonly metrics: Metrics;
  readonly dataDirectory: DataDirectory;
  readonly address: AddressInfo;
  /** Where plugins under debugging connect; undefined when they may not. */
  readonly debuggingAddress: AddressInfo | undefined;
  /** Where details are shown without a key; undefined unless DETAILS_PORT asks for it. */
  readonly detailsAddress: AddressInfo | undefined;
  /** Calls of plugins under way. */
  readonly openCalls: number;
  /** Stops taking work, lets what is open finish until `signal` aborts, ends plugins, closes everything. Idempotent. */
  stop(signal: AbortSignal): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;
/** Remembers how to close a part; parts are closed in reverse order. */
type Closing = <T>(part: T, close: (part: T) => void | Promise<void>) => T;

/**
 * Opens everything and starts serving.
 * @param environment what the process was started with, for plugins and tools
 * @param signal ends the waiting for what is not up yet
 * @param seat for one of several workers
 * @throws SettingsError or DaemonError with cause and remedy; everything opened is closed again
 */
export async function startDaemon(
  settings: Settings,
  environment: Environment,
  signal: AbortSignal = new AbortController().signal,
  seat?: WorkerSeat,
): Promise<Daemon> {
  const closers: (() => void | Promise<void>)[] = [];
  const closing: Closing = (part, close) => {
    closers.push(() => close(part));
    return part;
  };
  const closeAll = async () => {
    const failures: unknown[] = [];
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        // The others still have to be closed: processes would stay, or a lock.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  };
  try {
    return await wire(settingsOf(settings, seat), environment, signal, seat, closing, closeAll);
  } catch (error) {
    await closeAll().catch((failed: unknown) => {
      throw new AggregateError([error, failed], `${String(error)}\n${String(failed)}`);
    });
    throw error;
  }
}

async function wire(
  settings: Settings,
  environment: Environment,
  signal: AbortSignal,
  seat: WorkerSeat | undefined,
  closing: Closing,
  closeAll: () => Promise<void>,
): Promise<Daemon> {
  // This process, for what it holds where other nodes see it: leases, debugging installations, files being written.
  const nodeId = newId();
  const dataDirectory = closing(
    seat === undefined ? openDataDirectory(settings) : openWorkerDirectory(settings, seat),
    (d) => d.close(),
  );
  const serverKey = dataDirectory.serverKey.value;
  const difyKey = dataDirectory.difyInnerApiKey.value;
  let serving = false;
  const secrets = [serverKey, difyKey, dataDirectory.formerServerKey ?? '', ...secretValues(settings)];
  const log = closing(openLog(settings, secrets, seat?.index), (l) => {
    if (serving) l.info('stopped');
    l.close();
  });
  const filter = new SecretFilter(secrets);
  const journal = new PluginJournal((text) => filter.clean(text));
  if (seat === undefined) for (const { variables, message } of settings.warnings) log.warn({ variables }, message);
  const metrics = createMetrics({ enabled: settings.PROMETHEUS_ENABLED, processMetrics: true });

  const { cache, events, scripts, upstreamCaches } = await openShared(settings, nodeId, log, closing, seat);
  const database = closing(await provideDatabase({ settings, dataDirectory, log, signal, events, seat }), (d) =>
    d.close(),
  );
  const primary = seat?.channel.caller<PrimaryCalls>();
  primary?.tell('nodeIs', nodeId);
  primary?.tell('databaseIsOpen');
  const objects = closing(measured(await openObjects(settings, nodeId), metrics), (o) => o.close());

  const dify = closing(
    new DifyClient({
      url: settings.DIFY_INNER_API_URL,
      key: difyKey,
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
    onChanged: (namespace, key) => upstreamCaches?.forgetStored(namespace, key),
  });

  const budgets = budgetsOf(settings);
  const launcher = createProcessLauncher({
    python: settings.PYTHON_INTERPRETER_PATH,
    ...(environment.PATH !== undefined && { searchPath: environment.PATH }),
    onFallback: (reason) => {
      log.warn({ reason }, 'plugins are started without the helper process');
      warnOfPid1(log, true);
    },
  });
  const isolationLog = log.child({ component: 'isolation' });
  const cages = closing(
    isolation(settings, {
      dataDirectory,
      wholeDirectory: seat && settings.DATA_DIR,
      launcher,
      log: isolationLog,
      metrics,
    }),
    (i) => i.close(),
  );
  // Closed before: what is in a cage has ended when the cage goes.
  closing(launcher, (l) => l.close());
  warnOfPid1(log, process.platform === 'win32');
  const debugging = new DebuggingRuntimes();
  const nodes =
    events === undefined
      ? undefined
      : closing(
          new Nodes({
            settings,
            nodeId,
            serverKey,
            formerServerKey: dataDirectory.formerServerKey,
            scripts,
            seat,
            events,
            debugging,
            load: () => invocations.openSessions,
            log,
            metrics,
          }),
          (n) => n.leave(),
        );
  const packages = packageStore(settings, objects);
  const local = localPlugins({
    settings,
    environment,
    dataDirectory,
    log,
    journal,
    metrics,
    database,
    packages,
    launcher,
    isolation: cages,
    budgets,
    events,
    recentUse: await RecentUse.open(
      join(dataDirectory.path, 'plugin-use.json'),
      log.child({ component: 'supervision' }),
    ),
    runsUncalled: (identifier) => nodes?.placement.runsUncalled(identifier) ?? true,
    onReady: (identifier, ready) => nodes?.onPluginState(identifier, ready),
  });
  closing(local.environments, (e) => e.close());
  if (local.parents !== undefined) closing(local.parents, (p) => p.close());
  closing(local.housekeeping, (h) => h.close());
  const supervisor = closing(local.supervisor, (s) => s.close());
  const serverless = closing(
    serverlessPlatform({ settings, log, journal, metrics, database, cache, packages, budgets }),
    (s) => s?.close(),
  );
  // A plugin that was installed elsewhere is started, one that was removed ends.
  if (serverless === undefined)
    events?.on('row-changed', ({ table }) => table === 'installations' && supervisor.lookSoon());
  const debuggingKeys = new DebuggingKeys({
    cache,
    // Redis keeps them over a restart, and a file of one node would bring back what another node replaced.
    kept: keptKeys(events === undefined, dataDirectory, settings, seat),
  });
  let debuggingAddress: AddressInfo | undefined;
  if (settings.PLUGIN_REMOTE_INSTALLING_ENABLED) {
    const server = closing(
      new DebuggingServer({
        host: settings.PLUGIN_REMOTE_INSTALLING_HOST,
        port: settings.PLUGIN_REMOTE_INSTALLING_PORT,
        maxConnections: settings.PLUGIN_REMOTE_INSTALLING_MAX_CONN,
        maxConnectionsOfTenant: settings.PLUGIN_REMOTE_INSTALLING_MAX_SINGLE_TENANT_CONN,
        maxMessageBytes: settings.PLUGIN_MAX_MESSAGE_BYTES,
        budgets,
        serverKeyIsPublished: isPublished(serverKey) && !settings.ALLOW_PUBLISHED_KEYS,
        keys: debuggingKeys,
        runtimes: debugging,
        database,
        nodeId,
        storeMedia: (id, content) => objects.write(objectKey(settings.PLUGIN_MEDIA_CACHE_PATH, id), content),
        log: journal.listeningTo(log.child({ component: 'debugging' })),
      }),
      (s) => s.close(),
    );
    debuggingAddress = await server.start();
  }

  const queue = closing(await openJobs(settings, metrics, log, seat, nodes?.membership), (q) => q.close());
  closing(observeJobs(queue, metrics), (end) => end());
  const tellOthers = tellOfInstallations(events, supervisor, log);
  const ready =
    events === undefined || nodes === undefined || serverless !== undefined
      ? undefined
      : closing(
          readiness({
            settings,
            nodeId,
            events,
            nodes,
            plugins: supervisor,
            log: log.child({ component: 'installation' }),
          }),
          (r) => r.close(),
        );
  const installation = createInstallation(
    {
      database,
      store: packages,
      plugins: serverless?.functions ?? ready?.plugins ?? supervisor,
      runtimeType: serverless === undefined ? 'local' : 'serverless',
      queue,
      log: log.child({ component: 'installation' }),
      onChange: tellOthers,
      onJobEnd: observeInstallations(metrics),
    },
    installationOptions(settings, nodeId),
  );
  closing(installation, (i) => i.close());
  await installation.start();

  const routing = new Routing({
    debugging,
    local: supervisor,
    ...(serverless !== undefined && { functions: serverless.runtimes }),
    database,
    ...(nodes !== undefined && { nodes }),
  });
  const registry = sessionRegistry(settings, { serverless, events, cache, nodeId, log });
  const invocations: Invocations = new Invocations({
    routing,
    backwards: createBackwardsInvocations({
      dify,
      storage,
      budgets,
      log: log.child({ component: 'backwards-invocation' }),
    }),
    limits: { totalSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT, idleSeconds: settings.PLUGIN_IDLE_TIMEOUT },
    kept: budgets.agentFiles,
    admission: new Admission({
      callsPerMinute: settings.PLUGIN_CALLS_PER_MINUTE,
      failuresToOpen: settings.PLUGIN_BREAKER_FAILURES,
      openSeconds: settings.PLUGIN_BREAKER_OPEN_SECONDS,
      onRefused: (plugin_id, reason) => metrics.plugin_calls_refused_total.inc({ plugin_id, reason }),
    }),
    ...registered(registry, observeInvocations(metrics, log.child({ component: 'invocation' }))),
  });
  const endpoints = new EndpointService({
    database,
    cipher: createSettingsCipher(dify),
    newId,
    log: log.child({ component: 'endpoints' }),
  });
  const audit = closing(
    new AuditLog({
      file: join(dataDirectory.path, 'audit.jsonl'),
      events: database.auditEvents,
      retentionDays: settings.AUDIT_RETENTION_DAYS,
      log: log.child({ component: 'audit' }),
    }),
    (a) => a.close(),
  );
  const parts = {
    audit,
    settings,
    cages: cages.plugins,
    startedBy: local.startedBy,
    parents: local.parents,
    serverKey,
    dataDirectory,
    log,
    journal,
    metrics,
    database,
    cache,
    events,
    policies: local.policies,
    housekeeping: local.housekeeping,
    objects,
    installation,
    invocations,
    endpoints,
  };
  const shutdown = new Shutdown();
  const siblings =
    seat && new Siblings({ seat, metrics, database, membership: nodes?.membership, ready: () => nodes?.ready ?? [] });
  if (siblings === undefined) metrics.workers.set({}, 1);
  const http = await httpServers({
    ...parts,
    supervisor,
    routing,
    debuggingKeys,
    nodes,
    shutdown,
    siblings,
    serverless,
    registry,
  });
  const address = await http.main.listen();
  closing(http.main, (server) => server.close(AbortSignal.abort()));
  if (seat === undefined)
    closing(writeAddressFile(dataDirectory.path, { http: address, debugging: debuggingAddress }), (remove) => remove());
  const detailsAddress = await http.details?.listen();
  closing(http.details, (server) => server?.close(AbortSignal.abort()));
  // Whoever comes to the ports that workers share comes to any of them.
  const nodeAddress =
    nodes === undefined || (settings.NODE_PORT === 0 && seat === undefined)
      ? undefined
      : await http.main.listenForNodes({
          host: sharesThroughPrimary(settings, seat) ? '127.0.0.1' : (settings.NODE_HOST ?? settings.SERVER_HOST),
          port: settings.NODE_PORT,
          tls: nodes.tls,
        });
  await nodes?.join(address, nodeAddress);
  if (serverless === undefined) supervisor.begin();
  else serverless.watch.begin();
  queue.begin({
    ...installation.handlers,
    debugging: { run: () => removeAbandoned({ database, log: log.child({ component: 'debugging' }) }) },
    audit: { run: () => audit.prune() },
  });
  serving = true;

  let stopping: Promise<void> | undefined;
  return {
    log,
    metrics,
    dataDirectory,
    address,
    debuggingAddress,
    detailsAddress,
    get openCalls() {
      return invocations.openSessions;
    },
    stop: (signal) => {
      // Who follows a log has no call that could finish.
      journal.close();
      queue.rest();
      stopping ??= shutdown.run(
        {
          nodes,
          http,
          callsBackOverHttp: serverless !== undefined,
          siblingsServed: siblings?.served,
          invocations,
          balancerMs: settings.SHUTDOWN_BALANCER_SECONDS * 1000,
          closeAll,
          log,
        },
        signal,
      );
      return stopping;
    },
  };
}

/** Where connection keys outlive this process; undefined with Redis, which does that. */
function keptKeys(
  isAlone: boolean,
  dataDirectory: DataDirectory,
  settings: Settings,
  seat: WorkerSeat | undefined,
): KeptKeys | undefined {
  if (isAlone) return new KeyFile(debuggingKeysFile(dataDirectory.path));
  if (!sharesThroughPrimary(settings, seat)) return undefined;
  const primary = seat.channel.caller<PrimaryCalls>();
  return { entries: () => new Map(), keep: (tenantId, kept) => primary.tell('keepKey', tenantId, kept) };
}

/** Plugins take a parent that is PID 1 for a dead daemon (docs/wire/runtime-protocol.md#the-sdk-process). */
function warnOfPid1(log: OwnedLog, launchesDirectly: boolean): void {
  const finding = explainPid1({ launchesDirectly });
  if (finding !== undefined) log.warn({ remedy: finding.remedy }, finding.cause);
}
