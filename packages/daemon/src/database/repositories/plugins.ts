/** Plugin versions, who has installed them, and what is kept about them. */
import type {
  BaseRecord,
  InstallationRecord,
  Page,
  PluginRecord,
  ProjectionKind,
  ProjectionRecord,
  ReadmeRecord,
  RuntimeType,
  ServerlessRuntimeRecord,
} from '../records.ts';
import type { StoredDeclaration } from '../stored-declaration.ts';

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
