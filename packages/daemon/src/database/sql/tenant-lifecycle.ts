import type { SqlDialect } from '../dialect.ts';
import type { EndpointRecord, JsonObject, RuntimeType } from '../records.ts';
import type {
  InstallOutcome,
  InstallRequest,
  NewEndpoint,
  TenantLifecycle,
  UninstallOutcome,
  UninstallRequest,
  UpgradeOutcome,
  UpgradeRequest,
} from '../repositories/index.ts';
import type { StoredDeclaration } from '../stored-declaration.ts';
import { installationKey, type RowCaches, type Sql, type SqlContext, type Tx } from './context.ts';
import { leaseOwner, takeLease } from './debugging-leases.ts';
import * as endpoints from './endpoint-writes.ts';
import { requireFence } from './job-leases.ts';
import {
  countReferences,
  deleteVersion,
  insertInstallation,
  insertProjections,
  provideDeclaration,
  providePlugin,
  readInstallation,
  readPlugin,
  replaceProjections,
} from './lifecycle-steps.ts';
import { now } from './rows.ts';

export class SqlTenantLifecycle implements TenantLifecycle {
  readonly #sql: Sql;
  readonly #dialect: SqlDialect;
  readonly #caches: RowCaches;

  constructor({ sql, dialect, caches }: SqlContext) {
    this.#sql = sql;
    this.#dialect = dialect;
    this.#caches = caches;
  }

  async installForTenant(request: InstallRequest): Promise<InstallOutcome> {
    const { tenantId, pluginId, uniqueIdentifier } = request;
    const outcome = await this.#transaction(async (tx): Promise<InstallOutcome> => {
      await requireFence(this.#dialect, tx, request.fence);
      const before = await readInstallation(this.#dialect, tx, { tenant_id: tenantId, plugin_id: pluginId });
      if (before !== undefined) return { outcome: 'already-installed', installation: before };
      await providePlugin(this.#dialect, tx, { ...request, manifestType: '' });
      if (request.installType !== 'remote') await provideDeclaration(this.#dialect, tx, request.declaration);
      const installation = await insertInstallation(tx, request);
      if (request.lease !== undefined) await takeLease(this.#dialect, tx, installation.id, request.lease);
      await insertProjections(tx, tenantId, request);
      const plugin = await countReferences(this.#dialect, tx, uniqueIdentifier);
      if (plugin === undefined) throw new Error(`the row of ${uniqueIdentifier} vanished inside a transaction`);
      return { outcome: 'installed', installation, plugin };
    });
    this.#caches.installations.invalidate(installationKey(tenantId, pluginId));
    return outcome;
  }

  async uninstallFromTenant({ tenantId, installationId, owner }: UninstallRequest): Promise<UninstallOutcome> {
    const outcome = await this.#transaction(async (tx): Promise<UninstallOutcome> => {
      const installation = await readInstallation(this.#dialect, tx, { tenant_id: tenantId, id: installationId });
      if (installation === undefined) return { outcome: 'absent' };
      if (owner !== undefined && (await leaseOwner(tx, installationId)) !== owner) return { outcome: 'absent' };
      const identifier = installation.plugin_unique_identifier;
      const plugin = await readPlugin(this.#dialect, tx, identifier);
      await tx.deleteFrom('plugin_installations').where('id', '=', installation.id).execute();
      await tx.deleteFrom('debugging_leases').where('id', '=', installation.id).execute();
      await replaceProjections(tx, tenantId, installation.plugin_id, undefined);
      const lastReference = await this.#releaseVersion(tx, identifier);
      const installType = plugin?.install_type ?? installation.runtime_type;
      return { outcome: 'uninstalled', installation, lastReference, installType };
    });
    if (outcome.outcome === 'uninstalled') {
      this.#forgetInstallation(outcome.installation);
      if (outcome.lastReference)
        this.#forgetVersion(outcome.installation.plugin_unique_identifier, outcome.installType);
    }
    return outcome;
  }

  async upgradeForTenant(request: UpgradeRequest): Promise<UpgradeOutcome> {
    const { tenantId, originalIdentifier, newIdentifier, newDeclaration, source, meta } = request;
    const outcome = await this.#transaction(async (tx): Promise<UpgradeOutcome> => {
      await requireFence(this.#dialect, tx, request.fence);
      const where = { tenant_id: tenantId, plugin_unique_identifier: originalIdentifier };
      const before = await readInstallation(this.#dialect, tx, where);
      if (before === undefined) return { outcome: 'not-installed' };
      const original = await readPlugin(this.#dialect, tx, originalIdentifier);
      await providePlugin(this.#dialect, tx, {
        uniqueIdentifier: newIdentifier,
        pluginId: before.plugin_id,
        installType: request.installType,
        manifestType: 'plugin',
        source,
        declaration: newDeclaration,
      });
      const time = now();
      const change = { plugin_unique_identifier: newIdentifier, source };
      await tx
        .updateTable('plugin_installations')
        .set({ ...change, meta: JSON.stringify(meta), updated_at: time })
        .where('id', '=', before.id)
        .execute();
      if (request.lease !== undefined) await takeLease(this.#dialect, tx, before.id, request.lease);
      const projections = { pluginId: before.plugin_id, uniqueIdentifier: newIdentifier, declaration: newDeclaration };
      await replaceProjections(tx, tenantId, before.plugin_id, projections);
      await countReferences(this.#dialect, tx, newIdentifier);
      const originalReleased = await this.#releaseVersion(tx, originalIdentifier);
      const originalInstallType = original?.install_type ?? before.runtime_type;
      const installation = { ...before, ...change, meta, updated_at: time.toISOString() };
      return { outcome: 'upgraded', installation, originalReleased, originalInstallType };
    });
    if (outcome.outcome === 'upgraded') {
      this.#forgetInstallation(outcome.installation);
      if (outcome.originalReleased) this.#forgetVersion(originalIdentifier, outcome.originalInstallType);
    }
    return outcome;
  }

  async setupEndpoint(endpoint: NewEndpoint): Promise<EndpointRecord> {
    const made = await this.#transaction((tx) => endpoints.insert(tx, endpoint));
    this.#forgetEndpoint(made);
    return made;
  }

  async updateEndpoint(
    tenantId: string,
    endpointId: string,
    change: { readonly name: string; readonly settings: JsonObject },
  ): Promise<EndpointRecord | undefined> {
    return await this.#changeEndpoint((tx) => endpoints.update(this.#dialect, tx, tenantId, endpointId, change));
  }

  async setEndpointEnabled(
    tenantId: string,
    endpointId: string,
    enabled: boolean,
  ): Promise<EndpointRecord | undefined> {
    return await this.#changeEndpoint((tx) => endpoints.setEnabled(this.#dialect, tx, tenantId, endpointId, enabled));
  }

  async removeEndpoint(tenantId: string, endpointId: string): Promise<EndpointRecord | undefined> {
    return await this.#changeEndpoint((tx) => endpoints.remove(this.#dialect, tx, tenantId, endpointId));
  }

  async updateRemoteDeclaration(declaration: StoredDeclaration): Promise<boolean> {
    const { numUpdatedRows } = await this.#sql
      .updateTable('plugins')
      .set({ remote_declaration: declaration.json, updated_at: now() })
      .where('plugin_unique_identifier', '=', declaration.plugin_unique_identifier)
      .where('install_type', '=', 'remote')
      .executeTakeFirstOrThrow();
    this.#caches.declarations.invalidate(declaration.plugin_unique_identifier);
    return numUpdatedRows > 0n;
  }

  /** Brings the count of a version up to date; without tenants its rows go. True when they went. */
  async #releaseVersion(tx: Tx, identifier: string): Promise<boolean> {
    const rest = await tx
      .selectFrom('plugin_installations')
      .select('id')
      .where('plugin_unique_identifier', '=', identifier)
      .limit(1)
      .executeTakeFirst();
    if (rest === undefined) await deleteVersion(tx, identifier);
    else await countReferences(this.#dialect, tx, identifier);
    return rest === undefined;
  }

  async #changeEndpoint(change: (tx: Tx) => Promise<EndpointRecord | undefined>): Promise<EndpointRecord | undefined> {
    const changed = await this.#transaction(change);
    if (changed !== undefined) this.#forgetEndpoint(changed);
    return changed;
  }

  #transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#dialect.transaction(work);
  }

  #forgetVersion(identifier: string, installType: RuntimeType): void {
    this.#caches.declarations.invalidate(identifier);
    if (installType === 'serverless') this.#caches.functions.invalidate(identifier);
  }

  #forgetInstallation({ tenant_id, plugin_id }: { readonly tenant_id: string; readonly plugin_id: string }): void {
    this.#caches.installations.invalidate(installationKey(tenant_id, plugin_id));
  }

  #forgetEndpoint(endpoint: EndpointRecord): void {
    this.#caches.endpoints.invalidate(endpoint.hook_id);
    // Its counters changed with the endpoint.
    this.#forgetInstallation(endpoint);
  }
}
