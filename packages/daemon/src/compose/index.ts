/**
 * The one place where drivers are chosen and parts are wired. Everything below gets its parts and its options through its
 * constructor; nothing else reads the settings. Called by main.ts and by tests that need a whole daemon.
 */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AuditLog } from '../audit/index.ts';
import { createSettingsCipher } from '../backwards-invocation/index.ts';
import { type DataDirectory, type Settings, writeAddressFile } from '../config/index.ts';
import { EndpointService } from '../endpoints/index.ts';
import type { Invocations } from '../invocation/index.ts';
import { Routing } from '../routing/index.ts';
import { DebuggingRuntimes, removeAbandoned } from '../runtimes/debugging/index.ts';
import type { Metrics, OwnedLog } from '../telemetry/index.ts';
import { budgetsOf } from './budgets.ts';
import { invocationsOf, openDify } from './calls.ts';
import { type Closing, OpenedParts } from './closing.ts';
import { openDebugging } from './debugging.ts';
import { openFoundation } from './foundation.ts';
import { sessionRegistry } from './functions.ts';
import { httpServers } from './http.ts';
import { openInstallation } from './installation.ts';
import { observeJobs, openJobs } from './jobs.ts';
import { packageStore } from './local-plugins.ts';
import { newId } from './new-id.ts';
import { Nodes } from './nodes.ts';
import { openPlugins } from './plugins.ts';
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
  const opened = new OpenedParts();
  try {
    return await wire(settingsOf(settings, seat), environment, signal, seat, opened);
  } catch (error) {
    await opened.closeAll().catch((failed: unknown) => {
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
  opened: OpenedParts,
): Promise<Daemon> {
  const closing: Closing = opened.closing;
  let serving = false;
  const foundation = await openFoundation({ settings, signal, seat, hasServed: () => serving }, closing);
  const { nodeId, dataDirectory, log, metrics, journal, cache, events, scripts, database, objects } = foundation;
  const dify = openDify({ settings, dataDirectory }, closing);
  const budgets = budgetsOf(settings);
  const debuggingRuntimes = new DebuggingRuntimes();
  const nodes =
    events === undefined
      ? undefined
      : closing(
          new Nodes({
            settings,
            nodeId,
            serverKey: dataDirectory.serverKey.value,
            formerServerKey: dataDirectory.formerServerKey,
            scripts,
            seat,
            events,
            debugging: debuggingRuntimes,
            load: () => invocations.openSessions,
            log,
            metrics,
          }),
          (n) => n.leave(),
        );
  const packages = packageStore(settings, objects);
  const plugins = await openPlugins({ ...foundation, settings, environment, seat, packages, budgets, nodes }, closing);
  const { supervisor, serverless } = plugins;
  const debugging = await openDebugging(
    { ...foundation, settings, seat, budgets, runtimes: debuggingRuntimes },
    closing,
  );
  const queue = closing(await openJobs(settings, metrics, log, seat, nodes?.membership), (q) => q.close());
  closing(observeJobs(queue, metrics), (end) => end());
  const installation = await openInstallation({ ...foundation, settings, packages, plugins, nodes, queue }, closing);
  const routing = new Routing({
    debugging: debuggingRuntimes,
    local: supervisor,
    ...(serverless !== undefined && { functions: serverless.runtimes }),
    database,
    ...(nodes !== undefined && { nodes }),
  });
  const registry = sessionRegistry(settings, { serverless, events, cache, nodeId, log });
  const invocations: Invocations = invocationsOf({
    ...foundation,
    settings,
    dify,
    budgets,
    routing,
    registry,
    policies: plugins.policies,
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
  const shutdown = new Shutdown();
  const siblings =
    seat && new Siblings({ seat, metrics, database, membership: nodes?.membership, ready: () => nodes?.ready ?? [] });
  if (siblings === undefined) metrics.workers.set({}, 1);
  const http = await httpServers({
    ...foundation,
    ...plugins,
    settings,
    audit,
    installation,
    invocations,
    endpoints,
    routing,
    debuggingKeys: debugging.keys,
    nodes,
    shutdown,
    siblings,
    registry,
  });
  const address = await http.main.listen();
  closing(http.main, (server) => server.close(AbortSignal.abort()));
  if (seat === undefined)
    closing(writeAddressFile(dataDirectory.path, { http: address, debugging: debugging.address }), (remove) =>
      remove(),
    );
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
    debuggingAddress: debugging.address,
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
          closeAll: () => opened.closeAll(),
          log,
        },
        signal,
      );
      return stopping;
    },
  };
}
