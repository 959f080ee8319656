/** Installation on a real database and a real storage in a temporary directory; only the processes of plugins are played. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { type Logger, pino } from 'pino';
import type { Database } from '../../database/index.ts';
import { openDatabase } from '../../database/index.ts';
import { type JobHandlers, type JobQueue, openMemoryJobs } from '../../jobs/index.ts';
import { type ObjectStorage, openLocalStorage } from '../../storage/index.ts';
import { LocalSupervisor } from '../../supervision/index.ts';
import { FakeProcess, testPolicy } from '../../supervision/testing.ts';
import { type Log, silentLog } from '../../telemetry/index.ts';
import { createInstallation, type Installation, type InstallationOptions } from '../installation.ts';
import { PackageStore } from '../package-store.ts';
import type { InstallationChange } from '../version-installer.ts';
import type { JobEnd } from '../version-job.ts';

export const TENANT = '00000000-0000-4000-8000-000000000001';
export const OTHER_TENANT = '00000000-0000-4000-8000-000000000002';

export interface Launch {
  readonly identifier: string;
  readonly signal: AbortSignal;
  readonly step: (text: string) => void;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** Plugins that start at once, or when the test says so, under the real supervision. */
export class PlayedPlugins {
  /** Launches that wait for the test; only filled while `manual`. */
  readonly launches: Launch[] = [];
  readonly retired: string[] = [];
  /** The process of each version that was started last. */
  readonly processes = new Map<string, FakeProcess>();
  manual = false;
  /** What the test looks at when a plugin is started. */
  onStart: (identifier: string) => Promise<void> = async () => undefined;
  readonly supervisor: LocalSupervisor;
  #arrived = Promise.withResolvers<void>();

  constructor(database: Database, log: Log) {
    this.supervisor = new LocalSupervisor({
      start: (identifier, options) => this.#start(identifier, options),
      desired: () => database.installations.identifiersInUse({ runtimeType: 'local' }),
      isDesired: (identifier) => database.plugins.exists(identifier),
      policyOf: () => testPolicy(),
      drainSeconds: 60,
      lookEveryMs: 30_000,
      log,
      onState: (identifier, state) => {
        if (state === 'stopped') this.retired.push(identifier);
      },
    });
  }

  async #start(
    identifier: string,
    { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (step: string) => void },
  ): Promise<PluginInstance> {
    await this.onStart(identifier);
    if (this.manual) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.launches.push({ identifier, signal, step: onProgress, done: resolve, fail: reject });
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
      await promise;
    }
    const process = new FakeProcess();
    this.processes.set(identifier, process);
    return process;
  }

  /** The nth launch, waiting until it has come. */
  async launch(n = 0): Promise<Launch> {
    for (;;) {
      const found = this.launches[n];
      if (found !== undefined) return found;
      await this.#arrived.promise;
    }
  }
}

export interface Harness {
  readonly directory: string;
  readonly database: Database;
  readonly storage: ObjectStorage;
  readonly plugins: PlayedPlugins;
  readonly installation: Installation;
  readonly changes: InstallationChange[];
  readonly jobEnds: JobEnd[];
  readonly log: Logger;
  /** Ends installation, database and directory. */
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly log?: Logger;
  /** Stands before the storage, to make it fail. */
  readonly storage?: (inner: ObjectStorage) => ObjectStorage;
  readonly signatures?: Partial<InstallationOptions['signatures']>;
  readonly jobs?: Partial<InstallationOptions['jobs']>;
}

export const packageStore = (storage: ObjectStorage): PackageStore =>
  new PackageStore(storage, { packages: 'plugin_packages', installed: 'plugin', media: 'assets' });

export const installationOptions = (options: HarnessOptions = {}): InstallationOptions => ({
  signatures: {
    maxPackageBytes: 50 * 1024 * 1024,
    maxBundleBytes: 100 * 1024 * 1024,
    forceVerification: false,
    thirdPartyKeys: false,
    publicKeyFiles: [],
    protectLanggenius: true,
    ...options.signatures,
  },
  reader: { mediaEntries: 64, assetEntries: 64 },
  jobs: { owner: 'test', timeoutMs: 60_000, progressMs: 5, ...options.jobs },
  workshop: { threads: 1 },
  uploadBudget: 100 * 1024 * 1024,
});

export const memoryQueue = (): JobQueue => openMemoryJobs({ log: silentLog, concurrency: 4 });

/** The rounds of others do nothing. */
export function beginJobs(queue: JobQueue, installation: Installation): void {
  const nothing: JobHandlers['audit'] = { run: async () => undefined };
  queue.begin({ audit: nothing, debugging: nothing, ...installation.handlers });
}

export async function openHarness(options: HarnessOptions = {}): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), 'installation-'));
  const database = await openDatabase({ type: 'sqlite', file: join(directory, 'daemon.db') });
  const real = await openLocalStorage({ root: join(directory, 'storage'), nodeId: 'node' });
  const storage = options.storage?.(real) ?? real;
  const log = options.log ?? pino({ level: 'silent' });
  const plugins = new PlayedPlugins(database, log);
  const changes: InstallationChange[] = [];
  const jobEnds: JobEnd[] = [];
  const queue = memoryQueue();
  const installation = createInstallation(
    {
      database,
      store: packageStore(storage),
      plugins: plugins.supervisor,
      queue,
      log,
      onChange: (change) => changes.push(change),
      onJobEnd: (end) => jobEnds.push(end),
    },
    installationOptions(options),
  );
  await installation.start();
  beginJobs(queue, installation);
  return {
    directory,
    database,
    storage,
    plugins,
    installation,
    changes,
    jobEnds,
    log,
    async close() {
      await installation.close();
      await plugins.supervisor.close();
      await database.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer is the wanted one; the test's own time limit ends a wait in vain. */
export async function until<T>(ask: () => Promise<T> | T, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
