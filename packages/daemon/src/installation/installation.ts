import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { Database } from '../database/index.ts';
import type { LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import { DeclarationSource } from './declaration-source.ts';
import { InstallJobs, type InstallJobsOptions, type JobEnd } from './install-jobs.ts';
import { type InstallationChange, Installations } from './installations.ts';
import { PackageIntake } from './package-intake.ts';
import { PackageReader, type PackageReaderOptions } from './package-reader.ts';
import type { PackageStore } from './package-store.ts';
import { PackageWorkshop, type WorkshopOptions } from './packages/package-workshop.ts';
import { PresentedDeclarations } from './presented-declarations.ts';
import { SignaturePolicy, type SignaturePolicyOptions } from './signature-policy.ts';

export interface InstallationOptions {
  readonly signatures: SignaturePolicyOptions;
  readonly reader: PackageReaderOptions;
  readonly jobs: InstallJobsOptions;
  readonly workshop?: WorkshopOptions;
  /** Bytes that uploads may hold in memory together. */
  readonly uploadBudget: number;
}

export interface InstallationParts {
  readonly database: Database;
  readonly store: PackageStore;
  readonly plugins: LocalPlugins;
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
  /** Looks after tasks that a former life left behind; call it before requests are served. */
  start(): Promise<void>;
  /** Stops jobs, marks their tasks, ends the worker threads. */
  close(): Promise<void>;
}

export function createInstallation(parts: InstallationParts, options: InstallationOptions): Installation {
  const { database, store, plugins, log, onChange, onJobEnd } = parts;
  const workshop = new PackageWorkshop(options.workshop);
  const policy = new SignaturePolicy(options.signatures, log);
  const presented = new PresentedDeclarations();
  const jobs = new InstallJobs(database.installTasks, options.jobs, log, onJobEnd);
  const reader = new PackageReader({ store, workshop, policy, readmes: database.readmes }, options.reader);
  const declarations = new DeclarationSource({ declarations: database.declarations, store, workshop, policy });
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
    installations: new Installations({
      database,
      store,
      declarations,
      presented,
      plugins,
      jobs,
      log,
      ...(onChange === undefined ? {} : { onChange }),
    }),
    jobs,
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
