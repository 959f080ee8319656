import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  PythonEnvironments,
  type PythonEnvironmentsOptions,
  workingDirectoryName,
} from '@plugin-daemon/plugin-host/environments';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Isolation } from '@plugin-daemon/plugin-host/isolation';
import type { ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { ParentsPool } from '@plugin-daemon/plugin-host/prefork';
import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import { pluginEnvironment } from '@plugin-daemon/plugin-host/runtimes/local';
import { decodeDeclaration, type PluginDeclaration, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { type DataDirectory, type Settings, secretSettings } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import type { EventBus } from '../events/index.ts';
import { type createInstallation, PackageStore } from '../installation/index.ts';
import type { ObjectStorage } from '../storage/index.ts';
import {
  type CallLimits,
  createPluginStarter,
  Housekeeping,
  LocalSupervisor,
  PluginPolicies,
  type PoolPolicy,
  type RecentUse,
} from '../supervision/index.ts';
import type { Log, Metrics, OwnedLog, PluginJournal } from '../telemetry/index.ts';
import { observeLoads, observePlugins, observeStarts } from './observation.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;
/** Uploads that are being read hold at most this much memory together. */
const UPLOAD_BUDGET_BYTES = 128 * MIB;
/** The heartbeat's limit is upstream's (docs/wire/runtime-protocol.md#heartbeat). */
const DEAD_AFTER_MS = 120_000;
const LONGEST_LOOK_MS = 30_000;
const GRACE_MS = 2000;
export const DESIRED_LOOK_MS = 30_000;
/** Dify asks again within this time what it could not ask while the daemon was away. */
const WAKE_AFTER_MS = 500;
/** A parent holds 40 MB and is ready again within a second. */
const PARENT_IDLE_MS = 30 * 60_000;

export interface LocalPluginsParts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dataDirectory: DataDirectory;
  readonly log: OwnedLog;
  readonly journal: PluginJournal;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly packages: PackageStore;
  readonly launcher: ProcessLauncher;
  readonly isolation: Isolation;
  readonly budgets: PluginBudgets;
  readonly recentUse: RecentUse;
  readonly events: EventBus | undefined;
  /** Whether an installed plugin is started on this node without being called. */
  readonly runsUncalled: (identifier: string) => boolean;
  /** A plugin became ready here, or is not any more. */
  readonly onReady: (identifier: string, ready: boolean) => void;
}

/** Environments, processes and their supervisor. */
export function localPlugins(parts: LocalPluginsParts) {
  const { settings, environment, log, journal, metrics, database, packages, launcher, isolation } = parts;
  const environments = pythonEnvironments({
    ...parts,
    toolsPath: parts.dataDirectory.toolsPath,
    log,
    readOnlyForPlugins: () => isolation.plugins.keepsEnvironments(),
    share: settings.PLUGIN_SHARED_ENVIRONMENTS,
    compilesItself: () => isolation.plugins.ownTheirFiles(),
    onPrepared: (outcome) => metrics.plugin_environments_total.inc({ outcome }),
    buildCage: (request) => isolation.builds.enter(request),
  });
  const pluginVariables = pluginEnvironment(environment, {
    proxies: proxies(settings),
    passthrough: settings.PLUGIN_ENV_PASSTHROUGH,
    secrets: secretSettings,
    inheritAll: settings.PLUGIN_ENV_INHERIT_ALL,
  });
  const parents = parentsOf({ settings, launcher, environments, pluginVariables, log, metrics });
  const { onStarted, startedBy } = observeStarts(metrics);
  const start = createPluginStarter({
    environments,
    declarationOf: (identifier) => declarationOf(database, identifier),
    readPackage: (identifier) => packages.readPackage(identifier),
    cages: isolation.plugins,
    parents,
    several: (identifier) => policies.policyOf(identifier).max > 1,
    standing: (identifier) => environments.standing(identifier),
    onStarted,
    environment: pluginVariables,
    runtime: {
      launcher,
      log: journal.listeningTo(log.child({ component: 'plugin' })),
      readySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
      maxMessageBytes: settings.PLUGIN_MAX_MESSAGE_BYTES,
      budgets: parts.budgets,
      liveness: liveness(settings),
      graceMs: GRACE_MS,
      cancelGraceMs: settings.PLUGIN_CANCEL_GRACE_SECONDS * 1000 || undefined,
    },
    buildsAtOnce: settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT,
    startsAtOnce: Math.max(settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT, availableParallelism()),
  });
  const policies = new PluginPolicies({
    base: basePolicy(settings),
    file: settings.PLUGIN_POLICY_FILE,
    notes: database.pluginNotes,
    log: log.child({ component: 'supervision' }),
    onChanged: () => supervisor.policiesChanged(),
    tellOthers: () => parts.events?.publish('policies-changed', {}),
  });
  parts.events?.on('policies-changed', () => void policies.look());
  const { onState, onRestarted } = observePlugins(metrics);
  const supervisor: LocalSupervisor = new LocalSupervisor({
    start,
    desired: async () => {
      const installed = await database.installations.identifiersInUse({ runtimeType: 'local' });
      // What was started by a call goes on as long as it is installed.
      const started = new Set(supervisor.identifiers);
      return installed.filter((identifier) => started.has(identifier) || parts.runsUncalled(identifier));
    },
    isDesired: async (identifier) => {
      const plugin = await database.plugins.find(identifier);
      return plugin?.install_type === 'local' && (await database.installations.countByIdentifier(identifier)) > 0;
    },
    policyOf: (identifier) => policies.policyOf(identifier),
    lookAtPolicies: () => policies.look(),
    recentUse: parts.recentUse,
    wakesAtOnce: settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT,
    drainSeconds: settings.PLUGIN_MAX_EXECUTION_TIMEOUT,
    wakeAfterMs: WAKE_AFTER_MS,
    lookEveryMs: DESIRED_LOOK_MS,
    log: journal.listeningTo(log.child({ component: 'supervision' })),
    onLoad: observeLoads(metrics),
    onOverloaded: (identifier) =>
      metrics.plugin_calls_refused_total.inc({
        plugin_id: parseUniqueIdentifier(identifier).pluginId,
        reason: 'queue',
      }),
    onState: (identifier, state) => {
      onState(identifier, state);
      parts.onReady(identifier, state === 'running');
    },
    onRestarted,
    onRetired: (identifier) => {
      startedBy.delete(identifier);
      parents?.forget(identifier);
      return isolation.plugins.forget(identifier, join(settings.PLUGIN_WORKING_PATH, workingDirectoryName(identifier)));
    },
  });
  const housekeeping = new Housekeeping({
    environments,
    inUse: async () => [...(await database.installations.identifiersInUse()), ...supervisor.identifiers],
    onCollected: () => isolation.plugins.forgetUsers((identifier) => environments.isThere(identifier)),
    retentionHours: settings.PLUGIN_ENVIRONMENT_RETENTION,
    log: log.child({ component: 'supervision' }),
  });
  return { environments, parents, startedBy, supervisor, policies, housekeeping };
}

const liveness = (settings: Settings) => {
  const warnAfterMs = settings.PLUGIN_STUCK_SECONDS * 1000;
  return {
    warnAfterMs,
    deadAfterMs: Math.max(DEAD_AFTER_MS, warnAfterMs),
    lookEveryMs: Math.min(LONGEST_LOOK_MS, warnAfterMs / 2),
    hopelessAfterMs: settings.PLUGIN_MAX_EXECUTION_TIMEOUT * 1000,
  };
};

/** How the instances of plugins are kept that nobody said anything else about. */
const basePolicy = (settings: Settings): PoolPolicy & CallLimits => ({
  min: settings.PLUGIN_INSTANCES_MIN,
  max: settings.PLUGIN_INSTANCES_MAX,
  target: settings.PLUGIN_INSTANCE_CALLS_TARGET,
  limit: settings.PLUGIN_INSTANCE_CALLS_MAX,
  queue: settings.PLUGIN_QUEUE_MAX,
  idleMs: settings.PLUGIN_IDLE_STOP_SECONDS === 0 ? undefined : settings.PLUGIN_IDLE_STOP_SECONDS * 1000,
  callsPerMinute: settings.PLUGIN_CALLS_PER_MINUTE,
  failuresToOpen: settings.PLUGIN_BREAKER_FAILURES,
  openSeconds: settings.PLUGIN_BREAKER_OPEN_SECONDS,
});

/** Processes that fork plugins, if the settings want them. */
export const parentsOf = ({
  settings,
  launcher,
  environments,
  pluginVariables,
  log,
  metrics,
}: Pick<LocalPluginsParts, 'settings' | 'launcher' | 'log' | 'metrics'> & {
  readonly environments: PythonEnvironments;
  readonly pluginVariables: Readonly<Record<string, string>>;
}): ParentsPool | undefined =>
  settings.PLUGIN_PREFORK
    ? new ParentsPool({
        launcher,
        seeds: environments.seeds,
        environment: pluginVariables,
        most: settings.PLUGIN_PREFORK_PARENTS,
        idleMs: PARENT_IDLE_MS,
        log: log.child({ component: 'prefork' }),
        templateAfterMs: settings.PLUGIN_TEMPLATE_AFTER_MS,
        templates: { onTemplates: (count) => metrics.plugin_templates.set({}, count) },
        onParents: (count) => metrics.plugin_parents.set({}, count),
      })
    : undefined;

/** The stored declaration of a plugin version. @throws DaemonError `plugin-not-found` */
async function declarationOf(database: Database, identifier: string): Promise<PluginDeclaration> {
  const stored = await database.declarations.find(identifier);
  if (stored === undefined) throw new DaemonError('plugin-not-found', 'plugin not found');
  return decodeDeclaration(stored.value);
}

/** What environments are made with, as the settings say. */
export function pythonEnvironments({
  settings,
  environment,
  toolsPath,
  log,
  launcher,
  readOnlyForPlugins,
  share,
  compilesItself,
  onPrepared,
  buildCage,
}: Pick<LocalPluginsParts, 'settings' | 'environment' | 'launcher'> & {
  readonly toolsPath: string;
  readonly log: Log;
} & Pick<
    PythonEnvironmentsOptions,
    'readOnlyForPlugins' | 'share' | 'compilesItself' | 'onPrepared' | 'buildCage'
  >): PythonEnvironments {
  return new PythonEnvironments({
    workingPath: settings.PLUGIN_WORKING_PATH,
    toolsDirectory: toolsPath,
    launcher,
    ...(readOnlyForPlugins && { readOnlyForPlugins }),
    ...(share !== undefined && { share }),
    ...(compilesItself && { compilesItself }),
    ...(onPrepared && { onPrepared }),
    ...(buildCage && { buildCage }),
    log: log.child({ component: 'environments' }),
    environment,
    pythonInterpreterPath: settings.PYTHON_INTERPRETER_PATH,
    uvPath: settings.UV_PATH,
    inactivitySeconds: settings.PYTHON_ENV_INIT_TIMEOUT,
    cacheDirectory: settings.UV_CACHE_DIR,
    sourceHosts: settings.PLUGIN_SOURCE_HOSTS,
    sourceBuilds: settings.PLUGIN_SOURCE_BUILDS,
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
    proxies: proxies(settings),
  });
}

export const proxies = (settings: Settings) => ({
  http: settings.HTTP_PROXY,
  https: settings.HTTPS_PROXY,
  no: settings.NO_PROXY,
});

/** The objects of packages, under the keys that the settings name. */
export const packageStore = (settings: Settings, objects: ObjectStorage): PackageStore =>
  new PackageStore(objects, {
    packages: settings.PLUGIN_PACKAGE_CACHE_PATH,
    installed: settings.PLUGIN_INSTALLED_PATH,
    media: settings.PLUGIN_MEDIA_CACHE_PATH,
  });

/** What the settings say about taking in packages. */
export function installationOptions(settings: Settings, nodeId: string): Parameters<typeof createInstallation>[1] {
  return {
    signatures: {
      maxPackageBytes: settings.MAX_PLUGIN_PACKAGE_SIZE,
      maxBundleBytes: settings.MAX_BUNDLE_PACKAGE_SIZE,
      forceVerification: settings.FORCE_VERIFYING_SIGNATURE,
      thirdPartyKeys: settings.THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED,
      publicKeyFiles: settings.THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS,
      protectLanggenius: settings.ENFORCE_LANGGENIUS_PLUGIN_SIGNATURES,
    },
    reader: { mediaEntries: settings.PLUGIN_MEDIA_CACHE_SIZE, assetEntries: settings.PLUGIN_ASSET_CACHE_SIZE },
    jobs: { owner: nodeId, timeoutMs: settings.PLUGIN_INSTALL_TIMEOUT * 60_000 },
    packageRetentionMs: settings.PLUGIN_PACKAGE_RETENTION * DAY_MS,
    uploadBudget: UPLOAD_BUDGET_BYTES,
  };
}
