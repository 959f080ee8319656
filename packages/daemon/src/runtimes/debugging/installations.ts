import type { Database, InstallationRecord } from '../../database/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { DebuggingRuntimes } from './runtimes.ts';

export interface DebuggedInstallationsOptions {
  readonly database: Pick<Database, 'installations' | 'lifecycle' | 'debuggingLeases'>;
  /** Whose rows these are. */
  readonly nodeId: string;
  readonly runtimes: DebuggingRuntimes;
  /** How long an unrenewed lease is believed. */
  readonly leaseMs: number;
  readonly log: Log;
}

/**
 * Removes the rows of nodes that died: what was connected to them is not connected any more. For all nodes, so one of them does it; a
 * node does it for itself before it takes connections.
 */
export async function removeAbandoned({
  database,
  log,
}: Pick<DebuggedInstallationsOptions, 'database' | 'log'>): Promise<void> {
  for (const row of await database.debuggingLeases.abandoned()) {
    log.info({ tenant_id: row.tenant_id, plugin: row.plugin_unique_identifier }, 'removing a leftover of debugging');
    await database.lifecycle.uninstallFromTenant({ tenantId: row.tenant_id, installationId: row.id });
  }
}

/**
 * Keeps the installation rows of debugged plugins true to what is connected
 * (docs/wire/runtime-protocol.md#installation-of-a-debugged-plugin).
 *
 * A connected plugin that the tenant has not installed gets a row of runtime type `remote`; it goes with the last connection. An
 * installed plugin of the same id keeps its row untouched and is merely shadowed while the debugging one is connected
 * (docs/wire/runtime-protocol.md#installation-of-a-debugged-plugin). Work on one plugin of one tenant is done in turn, and each time from
 * what is connected then, so the order of events does not matter.
 */
export class DebuggedInstallations {
  readonly #options: DebuggedInstallationsOptions;
  readonly #turns = new Map<string, Promise<void>>();
  /** The rows made here, by their place: identifier. Others are never removed. */
  readonly #made = new Map<string, string>();

  constructor(options: DebuggedInstallationsOptions) {
    this.#options = options;
  }

  /** Brings the row into line with what is connected now. Rejects when the database refuses. */
  settle(tenantId: string, pluginId: string): Promise<void> {
    const key = `${tenantId}\n${pluginId}`;
    const before = this.#turns.get(key) ?? Promise.resolve();
    // A failure belongs to the one who asked for that turn; the next begins anew.
    const turn = before.catch(() => undefined).then(() => this.#settle(key, tenantId, pluginId));
    this.#turns.set(key, turn);
    const done = (): void => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    turn.then(done, done);
    return turn;
  }

  /** Resolves when no work is under way. */
  async settled(): Promise<void> {
    while (this.#turns.size > 0) await Promise.allSettled(this.#turns.values());
  }

  /** Keeps the rows of this node from being taken for abandoned. */
  async renewLeases(): Promise<void> {
    await this.#options.database.debuggingLeases.renew(this.#lease());
  }

  async #settle(key: string, tenantId: string, pluginId: string): Promise<void> {
    const { database, runtimes, log } = this.#options;
    const row = await database.installations.find(tenantId, pluginId);
    const current = runtimes.find(tenantId, pluginId);
    if (current === undefined) return this.#withdraw(key, row);
    if (row === undefined) {
      const { outcome } = await database.lifecycle.installForTenant({
        tenantId,
        pluginId,
        uniqueIdentifier: current.identifier,
        installType: 'remote',
        source: 'remote',
        meta: {},
        declaration: current.declaration,
        lease: this.#lease(),
      });
      if (outcome === 'installed') this.#made.set(key, current.identifier);
      // Somebody installed it at this very moment: then it is shadowed.
      return;
    }
    if (row.runtime_type !== 'remote') {
      log.info(
        { tenant_id: tenantId, plugin: current.identifier, installed: row.plugin_unique_identifier },
        'an installed plugin is shadowed while it is debugged',
      );
      return;
    }
    this.#made.set(key, current.identifier);
    if (row.plugin_unique_identifier === current.identifier) {
      await database.debuggingLeases.take(row.id, this.#lease());
      return;
    }
    await database.lifecycle.upgradeForTenant({
      tenantId,
      originalIdentifier: row.plugin_unique_identifier,
      newIdentifier: current.identifier,
      newDeclaration: current.declaration,
      installType: 'remote',
      source: 'remote',
      meta: {},
      lease: this.#lease(),
    });
  }

  async #withdraw(key: string, row: InstallationRecord | undefined): Promise<void> {
    const made = this.#made.get(key);
    this.#made.delete(key);
    if (row === undefined || row.runtime_type !== 'remote' || row.plugin_unique_identifier !== made) return;
    const { database, nodeId } = this.#options;
    // The plugin may be connected to another node by now, which then holds the lease.
    await database.lifecycle.uninstallFromTenant({ tenantId: row.tenant_id, installationId: row.id, owner: nodeId });
  }

  #lease() {
    return { owner: this.#options.nodeId, durationMs: this.#options.leaseMs };
  }
}
