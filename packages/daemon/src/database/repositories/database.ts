import type { InstallTasks } from './install-tasks.ts';
import type { DebuggingLeases, JobLeases } from './leases.ts';
import type { TenantLifecycle } from './lifecycle.ts';
import type {
  Declarations,
  Installations,
  PluginNotes,
  Plugins,
  Projections,
  Readmes,
  ServerlessRuntimes,
} from './plugins.ts';
import type { AuditEvents, Endpoints, TenantStorages } from './tenants.ts';

/** The open database: one object per area, and its end. */
export interface Database {
  readonly plugins: Plugins;
  readonly installations: Installations;
  readonly declarations: Declarations;
  readonly projections: Projections;
  readonly endpoints: Endpoints;
  readonly installTasks: InstallTasks;
  readonly debuggingLeases: DebuggingLeases;
  readonly jobLeases: JobLeases;
  readonly tenantStorages: TenantStorages;
  readonly readmes: Readmes;
  readonly serverlessRuntimes: ServerlessRuntimes;
  readonly lifecycle: TenantLifecycle;
  readonly auditEvents: AuditEvents;
  readonly pluginNotes: PluginNotes;
  /** Asks the database one trivial question; rejects with `DatabaseError` when it cannot answer (readiness). */
  ping(): Promise<void>;
  /** Whatever a node holds is free at once: it is known to be gone. */
  endLeasesOf(nodeId: string): Promise<void>;
  /** Waits for running transactions and closes. */
  close(): Promise<void>;
}
