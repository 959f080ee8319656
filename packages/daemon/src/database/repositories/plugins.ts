/**
 * What the daemon may ask of its database, in the words of its callers. One class per interface implements it in
 * `sql/`, over any dialect. Every method is one statement or one transaction; none of them blocks on the network
 * besides the database itself. Failures of the database itself reject with `DatabaseError`.
 *
 * What is kept of upstream here, and what is not: docs/wire/state.md#reads-and-writes.
 */
import type {
  AuditEventRecord,
  BaseRecord,
  EndpointRecord,
  InstallationRecord,
  InstallTaskItem,
  InstallTaskRecord,
  JsonObject,
  NewAuditEvent,
  Page,
  PluginRecord,
  ProjectionKind,
  ProjectionRecord,
  ReadmeRecord,
  RuntimeType,
  ServerlessRuntimeRecord,
} from './records.ts';
import type { StoredDeclaration } from './stored-declaration.ts';

export interface Plugins {
  find(uniqueIdentifier: string): Promise<PluginRecord | undefined>;
  /** Those of the given that exist, by identifier. */
  findMany(uniqueIdentifiers: readonly string[]): Promise<ReadonlyMap<string, PluginRecord>>;
  exists(uniqueIdentifier: string): Promise<boolean>;
  /** All rows, oldest first; supervision derives the desired state from them. */
  list(filter?: { installType?: RuntimeType }): Promise<readonly PluginRecord[]>;
}

export interface Installations {
  /**
   * The tenant's installation of a plugin. Answered from memory after the first read (hot path of every dispatch);
   * every write of this process drops the entry. Absence is not remembered.
   */
  find(tenantId: string, pluginId: string): Promise<InstallationRecord | undefined>;
  /** The same without waiting: undefined means "not in memory", not "absent". */
  peek(tenantId: string, pluginId: string): InstallationRecord | undefined;
  findById(tenantId: string, installationId: string): Promise<InstallationRecord | undefined>;
  findByIdentifier(tenantId: string, uniqueIdentifier: string): Promise<InstallationRecord | undefined>;
  /** Newest first. */
  listByTenant(tenantId: string, page: Page): Promise<readonly InstallationRecord[]>;
  /** All of a tenant, newest first. */
  listAllByTenant(tenantId: string): Promise<readonly InstallationRecord[]>;
  countByTenant(tenantId: string): Promise<number>;
  /** Any number of ids; the answer is in the order of installation. */
  findByPluginIds(tenantId: string, pluginIds: readonly string[]): Promise<readonly InstallationRecord[]>;
  /** Number of tenants that use this version. */
  countByIdentifier(uniqueIdentifier: string): Promise<number>;
  /** Distinct identifiers that at least one tenant has installed. What names no version (NULL, damaged) is left out: nothing can be run or kept for it. */
  identifiersInUse(filter?: { runtimeType?: RuntimeType }): Promise<readonly string[]>;
  /** Of all tenants. */
  listByRuntimeType(runtimeType: RuntimeType): Promise<readonly InstallationRecord[]>;
}

export interface Declarations {
  /**
   * The stored declaration: `plugin_declarations` first, then that of a debugging plugin; for runtime type `remote`
   * the other way round. Kept in memory (bounded by bytes of JSON).
   */
  find(uniqueIdentifier: string, runtimeType?: RuntimeType): Promise<StoredDeclaration | undefined>;
  /** Any number of identifiers with few queries; missing ones are absent from the map. */
  findMany(
    wanted: readonly { uniqueIdentifier: string; runtimeType?: RuntimeType }[],
  ): Promise<ReadonlyMap<string, StoredDeclaration>>;
  /**
   * Stores the declaration of an uploaded package unless one is stored.
   * @param json compact JSON text of an object, stored as given
   * @returns whether this call created the row
   */
  insertIfAbsent(uniqueIdentifier: string, pluginId: string, json: string): Promise<boolean>;
  /** Puts another text in the place of the stored one; false if none is stored. */
  replace(uniqueIdentifier: string, json: string): Promise<boolean>;
  /** Deletes the row (rollback of a failed upload); true if there was one. */
  delete(uniqueIdentifier: string): Promise<boolean>;
}

export interface Projections {
  /** One page in the order of creation. */
  list(kind: ProjectionKind, tenantId: string, page: Page): Promise<readonly ProjectionRecord[]>;
  count(kind: ProjectionKind, tenantId: string): Promise<number>;
  find(kind: ProjectionKind, tenantId: string, pluginId: string): Promise<ProjectionRecord | undefined>;
  /** Any number of plugin ids. */
  findByPluginIds(
    kind: ProjectionKind,
    tenantId: string,
    pluginIds: readonly string[],
  ): Promise<readonly ProjectionRecord[]>;
  /** Distinct plugin ids, newest first. */
  pluginIds(kind: ProjectionKind, tenantId: string): Promise<readonly string[]>;
  /**
   * Model providers joined to their installations (tenant, plugin id and identifier must agree), newest installation
   * first, one for each (plugin_id, provider).
   */
  modelBindings(tenantId: string): Promise<readonly ModelBinding[]>;
}

export interface ModelBinding {
  readonly plugin_id: string;
  readonly provider: string;
  readonly plugin_unique_identifier: string;
  readonly runtime_type: RuntimeType;
}

export interface Endpoints {
  /** Answered from memory after the first read, dropped on every write. */
  findByHookId(hookId: string): Promise<EndpointRecord | undefined>;
  find(tenantId: string, endpointId: string): Promise<EndpointRecord | undefined>;
  /** Newest first. */
  listByTenant(tenantId: string, page: Page): Promise<readonly EndpointRecord[]>;
  listByPlugin(tenantId: string, pluginId: string, page: Page): Promise<readonly EndpointRecord[]>;
}

/** The lease of a task or of a debugging installation: who serves it and until when that is believed without renewal. */
export interface Lease {
  /** The id of a node: unique for the life of one daemon process. */
  readonly owner: string;
  /** Milliseconds from now. */
  readonly durationMs: number;
}

/** A lease on a job that its holder shows with what it writes: after somebody else has taken it, nothing of that is written. */
export interface Fence {
  readonly jobId: string;
  /** Unique for one attempt: an earlier one of the same node is somebody else. */
  readonly owner: string;
}

export interface NewInstallTask {
  readonly tenantId: string;
  readonly plugins: readonly InstallTaskItem[];
  readonly lease: Lease;
  /** What is to be done, in the words of its owner, for whoever takes the task over. Without it nobody does. */
  readonly work?: string;
}

/** An item that somebody should be working on. */
export interface OpenItem {
  readonly taskId: string;
  readonly tenantId: string;
  readonly item: InstallTaskItem;
  /** As it was given with its task. */
  readonly work: string | undefined;
}

export type OpenTask = Pick<OpenItem, 'taskId' | 'work'>;

/** An unfinished task whose lease has run out. */
export interface ExpiredTask {
  readonly task: InstallTaskRecord;
  readonly work: string | undefined;
}

/** Fields of a task's item that change; the rest stays. */
export type InstallTaskItemChange = Partial<Omit<InstallTaskItem, 'plugin_unique_identifier'>>;

export interface InstallTasks {
  /** Creates a task with status `running`; items as given. */
  create(task: NewInstallTask): Promise<InstallTaskRecord>;
  find(tenantId: string, taskId: string): Promise<InstallTaskRecord | undefined>;
  /** Newest first. */
  list(tenantId: string, page: Page): Promise<readonly InstallTaskRecord[]>;
  /**
   * Changes one item and derives the task from its items: the first `failed` makes the task `failed`, all `success`
   * makes it `success`; `completed_plugins` counts successes. Messages over 1024 bytes are shortened to their ends.
   * @returns the task, or undefined when it or the item was deleted meanwhile, or is to run after it ended: the job should stop
   * @throws LeaseLost when the fence is not the holder's any more
   */
  updateItem(
    taskId: string,
    uniqueIdentifier: string,
    change: InstallTaskItemChange,
    fence?: Fence,
  ): Promise<InstallTaskRecord | undefined>;
  /** The items of this plugin version, of every tenant, that are not finished; oldest task first. */
  openItems(uniqueIdentifier: string): Promise<readonly OpenItem[]>;
  /** The versions that items of this owner's tasks wait for. */
  openVersions(owner: string): Promise<readonly string[]>;
  /** The unfinished task in which a tenant installs all of these versions, if there is one that somebody looks after. */
  findOpen(tenantId: string, uniqueIdentifiers: readonly string[]): Promise<OpenTask | undefined>;
  /** Unfinished tasks whose lease ran out, with those that `failOrphans` would fail. */
  expired(): Promise<readonly ExpiredTask[]>;
  /** Takes the lease of a task whose lease ran out; false when somebody else was first, or it is renewed again. */
  adopt(taskId: string, lease: Lease): Promise<boolean>;
  /** Lets the leases of this owner run out at once, so that others take its tasks over. */
  giveUp(owner: string): Promise<void>;
  /** Extends the lease of every unfinished task of this owner; returns the ids that still exist and are unfinished. */
  renewLeases(lease: Lease): Promise<readonly string[]>;
  /**
   * Fails every unfinished task whose lease has run out; returns them as they are now. One that never had a lease may be worked on
   * by a node of the existing daemon: where others use the database too, it counts only when it has not changed for long.
   * @param only of these
   */
  failOrphans(message: string, only?: readonly string[]): Promise<readonly InstallTaskRecord[]>;
  /** Fails every unfinished task of this owner (shutdown). */
  failOwned(owner: string, message: string): Promise<readonly InstallTaskRecord[]>;
  /** Deletes one task; true if there was one. */
  delete(tenantId: string, taskId: string): Promise<boolean>;
  /** Deletes all tasks of a tenant; returns how many. */
  deleteAll(tenantId: string): Promise<number>;
  /** Removes one item; deletes the task when all remaining items are successful or none remain. Counters stay. */
  deleteItem(tenantId: string, taskId: string, uniqueIdentifier: string): Promise<boolean>;
  /** Deletes tasks with status `success` whose last update is at least this old; returns how many. */
  sweepSuccessful(olderThanMs: number): Promise<number>;
}

/** Which attempt of which node works on a job. Nobody needs to renew a lease that nobody else wants: only taking it ends it. */
export interface JobLeases {
  /**
   * Takes the lease of a job unless somebody else holds it.
   * @returns how many attempts have begun, with this one; undefined when it is held
   */
  take(jobId: string, lease: Lease): Promise<number | undefined>;
  /** Extends it; false when somebody else has taken it. */
  renew(jobId: string, lease: Lease): Promise<boolean>;
  /** The job is done: it and its attempts are forgotten. */
  end(fence: Fence): Promise<void>;
  /** Somebody else is to go on at once; the attempt does not count. */
  handOver(fence: Fence): Promise<void>;
  /** Forgets jobs that nobody has worked on for a day. */
  forgetOld(): Promise<void>;
}

/** Who serves the installations of plugins under debugging. */
export interface DebuggingLeases {
  /** Takes the lease of an installation, whoever held it. */
  take(installationId: string, lease: Lease): Promise<void>;
  /** Extends every lease of this owner. */
  renew(lease: Lease): Promise<void>;
  /**
   * Debugging installations whose lease ran out. One that never had a lease may be served by a node of the existing daemon:
   * where others use the database too, it counts only when it is a day old.
   */
  abandoned(): Promise<readonly InstallationRecord[]>;
}

export interface TenantStorages {
  /**
   * Adds bytes to what a plugin uses in a tenant, unless the sum would pass the limit. A negative number always
   * succeeds and stops at 0. Atomic: parallel calls cannot pass the limit together.
   * @returns `ok: false` with the present size when refused
   */
  reserve(tenantId: string, pluginId: string, bytes: number, limit: number): Promise<{ ok: boolean; size: number }>;
  /** Gives bytes back, not below 0. */
  release(tenantId: string, pluginId: string, bytes: number): Promise<void>;
  /** Bytes in use (rows of older databases that exist twice are summed). */
  size(tenantId: string, pluginId: string): Promise<number>;
}

export interface Readmes {
  /** One for each language (duplicates of older databases are hidden); those stored at once by language. */
  list(uniqueIdentifier: string): Promise<readonly ReadmeRecord[]>;
  /** Stores them unless the plugin version already has some. */
  insertIfAbsent(
    uniqueIdentifier: string,
    readmes: readonly { readonly language: string; readonly content: string }[],
  ): Promise<void>;
}

/** Which function runs a plugin version. Answered from memory after the first time. */
export interface ServerlessRuntimes {
  find(uniqueIdentifier: string): Promise<ServerlessRuntimeRecord | undefined>;
  /** What is in memory. */
  peek(uniqueIdentifier: string): ServerlessRuntimeRecord | undefined;
  /** Inserts, or updates url, name, type and checksum of the row with this identifier. */
  upsert(runtime: Omit<ServerlessRuntimeRecord, keyof BaseRecord>): Promise<void>;
  /** Points the row with this identifier to another function. @returns false if there is none */
  point(uniqueIdentifier: string, to: { readonly url: string; readonly name: string }): Promise<boolean>;
  delete(uniqueIdentifier: string): Promise<boolean>;
}

export interface InstallRequest {
  readonly tenantId: string;
  readonly pluginId: string;
  readonly uniqueIdentifier: string;
  readonly installType: RuntimeType;
  readonly source: string;
  readonly meta: JsonObject;
  /** The declaration, for the projection rows; for `remote` it is stored with the plugin as well. */
  readonly declaration: StoredDeclaration;
  /** The node that serves it, for `remote`. */
  readonly lease?: Lease;
  /** Of the job that does it: it throws LeaseLost when the lease is lost. */
  readonly fence?: Fence;
}

export type InstallOutcome =
  | { readonly outcome: 'installed'; readonly installation: InstallationRecord; readonly plugin: PluginRecord }
  /** The tenant already has this plugin id, in this or another version; nothing was changed. */
  | { readonly outcome: 'already-installed'; readonly installation: InstallationRecord };

export interface UninstallRequest {
  readonly tenantId: string;
  readonly installationId: string;
  /** Only if this node holds the lease of the debugging installation; otherwise it is as if there were none. */
  readonly owner?: string;
}

export type UninstallOutcome =
  | { readonly outcome: 'absent' }
  | {
      readonly outcome: 'uninstalled';
      readonly installation: InstallationRecord;
      /** No tenant uses the version any more: its plugin, declaration and serverless rows are gone. */
      readonly lastReference: boolean;
      /** The runtime type of the plugin row, or of the installation when that row was missing. */
      readonly installType: RuntimeType;
    };

export interface UpgradeRequest {
  readonly tenantId: string;
  readonly originalIdentifier: string;
  readonly newIdentifier: string;
  readonly newDeclaration: StoredDeclaration;
  /** Runtime type of the new version; upgrades keep the installation's. */
  readonly installType: RuntimeType;
  readonly source: string;
  readonly meta: JsonObject;
  /** The node that serves it from now on, for `remote`. */
  readonly lease?: Lease;
  /** Of the job that does it: it throws LeaseLost when the lease is lost. */
  readonly fence?: Fence;
}

export type UpgradeOutcome =
  | { readonly outcome: 'not-installed' }
  | {
      readonly outcome: 'upgraded';
      readonly installation: InstallationRecord;
      /** No tenant uses the original any more: its rows are gone. */
      readonly originalReleased: boolean;
      readonly originalInstallType: RuntimeType;
    };

export interface NewEndpoint {
  /** From `newId()`: settings are encrypted under this id before the row exists (docs/wire/state.md#reads-and-writes). */
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly pluginId: string;
  readonly name: string;
  /** Already encrypted. */
  readonly settings: JsonObject;
}

/**
 * The changes that touch several tables, each one transaction. Caches of the rows they touch are dropped after the
 * commit, before the promise resolves.
 */
export interface TenantLifecycle {
  installForTenant(request: InstallRequest): Promise<InstallOutcome>;
  /** Endpoints of the plugin stay: a new installation revives them (docs/wire/state.md#reads-and-writes). */
  uninstallFromTenant(request: UninstallRequest): Promise<UninstallOutcome>;
  upgradeForTenant(request: UpgradeRequest): Promise<UpgradeOutcome>;
  /** Inserts the endpoint enabled, with a fresh hook id, and counts it on the installation. */
  setupEndpoint(endpoint: NewEndpoint): Promise<EndpointRecord>;
  /** Replaces name and settings; undefined when there is no such endpoint. */
  updateEndpoint(
    tenantId: string,
    endpointId: string,
    change: { readonly name: string; readonly settings: JsonObject },
  ): Promise<EndpointRecord | undefined>;
  /** undefined when there is no such endpoint; the record unchanged when it already is so. */
  setEndpointEnabled(tenantId: string, endpointId: string, enabled: boolean): Promise<EndpointRecord | undefined>;
  /** The endpoint as it was; undefined when there is none. */
  removeEndpoint(tenantId: string, endpointId: string): Promise<EndpointRecord | undefined>;
  /** Replaces the stored declaration of a debugging plugin that reconnected; false when the row is missing. */
  updateRemoteDeclaration(declaration: StoredDeclaration): Promise<boolean>;
}

/** Who did what. Rows are only added, and forgotten with age. */
export interface AuditEvents {
  append(event: NewAuditEvent): Promise<void>;
  /** Newest first. @param page.before the id of the last one seen */
  list(page: {
    readonly limit: number;
    readonly before?: string;
    readonly tenantId?: string;
  }): Promise<readonly AuditEventRecord[]>;
  /** Removes what was written before a time; the number of removed ones. */
  prune(before: Date): Promise<number>;
}

/** `policy`: how the processes of a plugin are kept, by plugin id; `previous`: the version before an upgrade, by tenant and plugin id. */
export type PluginNoteKind = 'policy' | 'previous';

/** Small texts about plugins that upstream's tables have no place for: one for each kind and subject. */
export interface PluginNotes {
  find(kind: PluginNoteKind, subject: string): Promise<string | undefined>;
  /** By subject. */
  list(kind: PluginNoteKind): Promise<ReadonlyMap<string, string>>;
  /** Replaces what was there. */
  write(kind: PluginNoteKind, subject: string, value: string): Promise<void>;
  delete(kind: PluginNoteKind, subject: string): Promise<boolean>;
}

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
