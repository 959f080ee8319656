import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { Database, RuntimeType } from '../database/index.ts';
import type { JobHandlers, JobQueue } from '../jobs/index.ts';
import type { LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import { DeclarationSource } from './declaration-source.ts';
import { InstallJobs, type InstallJobsOptions } from './install-jobs.ts';
import { Installations } from './installations.ts';
import { PackageCollector } from './package-collector.ts';
import { PackageIntake } from './package-intake.ts';
import { PackageReader, type PackageReaderOptions } from './package-reader.ts';
import type { PackageStore } from './package-store.ts';
import { PackageWorkshop, type WorkshopOptions } from './packages/package-workshop.ts';
import { PresentedDeclarations } from './presented-declarations.ts';
import { PreviousVersions } from './previous-versions.ts';
import { SignaturePolicy, type SignaturePolicyOptions } from './signature-policy.ts';
import { type InstallationChange, VersionInstaller } from './version-installer.ts';
import type { JobEnd } from './version-job.ts';

export interface InstallationOptions {
  readonly signatures: SignaturePolicyOptions;
  readonly reader: PackageReaderOptions;
  readonly jobs: InstallJobsOptions;
  readonly workshop?: WorkshopOptions;
  /** Packages that nobody refers to are removed when they are older than this, milliseconds; 0, and by default, never. */
  readonly packageRetentionMs?: number;
  /** Bytes that uploads may hold in memory together. */
  readonly uploadBudget: number;
}

export interface InstallationParts {
  readonly database: Database;
  readonly store: PackageStore;
  /** Makes versions run: on this machine, where the nodes run them, or as functions. */
  readonly plugins: LocalPlugins;
  /** As what they run there; default `local`. */
  readonly runtimeType?: RuntimeType;
  /** Given to installation, which closes it. */
  readonly queue: JobQueue;
  readonly log: Log;
  readonly onChange?: (change: InstallationChange) => void;
  /** For the metrics of installations. */
  readonly onJobEnd?: (end: JobEnd) => void;
}

/** The parts of installation, wired together. */
export interface Installation {
  readonly intake: PackageIntake;
  readonly reader: PackageReader;
  readonly installations: Installations;
  readonly jobs: InstallJobs;
  readonly presented: PresentedDeclarations;
  readonly uploadBudget: ByteBudget;
  /** What the queue does with the jobs of installation. */
  readonly handlers: Pick<JobHandlers, 'install' | 'install-tasks' | 'packages'>;
  /** Looks after tasks that a former life left behind; call it before requests are served. */
  start(): Promise<void>;
  /** Stops jobs, marks their tasks, ends the worker threads. */
  close(): Promise<void>;
}

export function createInstallation(parts: InstallationParts, options: InstallationOptions): Installation {
  const { database, store, plugins, runtimeType = 'local', queue, log, onChange, onJobEnd } = parts;
  const workshop = new PackageWorkshop(options.workshop);
  const policy = new SignaturePolicy(options.signatures, log);
  const presented = new PresentedDeclarations();
  const reader = new PackageReader({ store, workshop, policy, readmes: database.readmes }, options.reader);
  const declarations = new DeclarationSource({ declarations: database.declarations, store, workshop, policy });
  const previous = new PreviousVersions(database.pluginNotes, log);
  const installer = new VersionInstaller({
    database,
    store,
    previous,
    declarations,
    plugins,
    runtimeType,
    log,
    ...(onChange === undefined ? {} : { onChange }),
  });
  const jobs = new InstallJobs(
    {
      tasks: database.installTasks,
      leases: database.jobLeases,
      queue,
      installer,
      log,
      ...(onJobEnd === undefined ? {} : { onJobEnd }),
    },
    options.jobs,
  );
  const collector = new PackageCollector({
    database,
    store,
    previous,
    owner: options.jobs.owner,
    retentionMs: options.packageRetentionMs ?? 0,
    log,
  });
  return {
    intake: new PackageIntake({
      workshop,
      store,
      declarations: database.declarations,
      policy,
      log,
      onStored: (identifier, description) => reader.replaced(identifier, description),
    }),
    reader,
    installations: new Installations({ database, declarations, presented, installer, previous, jobs, plugins }),
    jobs,
    handlers: { ...jobs.handlers, packages: { run: (_name, { signal }) => collector.run(signal) } },
    presented,
    uploadBudget: new ByteBudget({ what: 'uploads', total: options.uploadBudget }),
    async start() {
      await policy.check();
      await jobs.start();
    },
    async close() {
      await jobs.close();
      await workshop.close();
    },
  };
}
