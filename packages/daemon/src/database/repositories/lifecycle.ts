/** Changes that touch several tables: installing, upgrading, uninstalling, endpoints. */
import type { EndpointRecord, InstallationRecord, JsonObject, PluginRecord, RuntimeType } from '../records.ts';
import type { StoredDeclaration } from '../stored-declaration.ts';
import type { Fence, Lease } from './leases.ts';

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
