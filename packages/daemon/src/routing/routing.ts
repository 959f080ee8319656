import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime, RuntimeType } from '@plugin-daemon/plugin-host/runtimes';
import type { Database, InstallationRecord } from '../database/index.ts';
import type { DebuggingRuntimes } from '../runtimes/debugging/index.ts';
import type { Placement, Whereabouts } from './placement.ts';

export interface RoutingParts {
  readonly debugging: Pick<DebuggingRuntimes, 'find' | 'get' | 'leftRecently' | 'returning'>;
  /** The plugins that run on this machine as processes. */
  readonly local: {
    peek(identifier: string): PluginRuntime | undefined;
    /** @throws DaemonError `not-routable` if it is not installed here, `runtime-unavailable` with the cause if it does not start */
    ready(identifier: string, signal: AbortSignal): Promise<PluginRuntime>;
  };
  readonly database: {
    readonly installations: Pick<Database['installations'], 'find' | 'peek'>;
    readonly declarations: Pick<Database['declarations'], 'find'>;
  };
}

const here: Whereabouts = { at: 'here' };

/** Finds where calls go. */
export class Routing {
  readonly #parts: RoutingParts;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
  }

  /**
   * Where a tenant's calls of a plugin go. Known at once for whatever is connected or was asked for before.
   * @returns undefined if the tenant has no such plugin; `away` if it had one on a debugging connection that was lost a moment ago
   * and did not come back while it was waited for: its developer is restarting it, so the call may be tried again.
   */
  find(tenantId: string, pluginId: string): Placement | Promise<Placement | 'away' | undefined> {
    const { debugging, database } = this.#parts;
    const connected = debugging.find(tenantId, pluginId);
    if (connected !== undefined) return this.#placement(connected.identifier, connected.type);
    const known = database.installations.peek(tenantId, pluginId);
    return known === undefined ? this.#search(tenantId, pluginId) : this.#installed(known);
  }

  /** Where calls of one version go, whoever asks. Whether it runs there shows when its runtime is wanted. */
  withIdentifier(identifier: string): Placement {
    return this.#placement(identifier, this.#parts.debugging.get(identifier)?.type ?? 'local');
  }

  /** The runtime at a placement, if it is ready now. */
  peek({ identifier, where }: Placement): PluginRuntime | undefined {
    if (where.at !== 'here') return undefined;
    return this.#parts.debugging.get(identifier) ?? this.#parts.local.peek(identifier);
  }

  /**
   * The runtime at a placement, waiting while it starts.
   * @throws DaemonError `not-routable` if nothing runs it, `runtime-unavailable` with the cause if it cannot be started now.
   */
  async ready({ identifier, where }: Placement, signal: AbortSignal): Promise<PluginRuntime> {
    if (where.at !== 'here') throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
    return this.#parts.debugging.get(identifier) ?? (await this.#parts.local.ready(identifier, signal));
  }

  async #search(tenantId: string, pluginId: string): Promise<Placement | 'away' | undefined> {
    const { debugging, database } = this.#parts;
    const found = await database.installations.find(tenantId, pluginId);
    if (found !== undefined) return this.#installed(found);
    if (!debugging.leftRecently(tenantId, pluginId)) return undefined;
    const back = await debugging.returning(tenantId, pluginId);
    return back === undefined ? 'away' : this.#placement(back.identifier, back.type);
  }

  #installed({ plugin_unique_identifier, runtime_type }: InstallationRecord): Placement {
    return this.#placement(plugin_unique_identifier, runtime_type);
  }

  #placement(identifier: string, runtimeType: RuntimeType): Placement {
    const { debugging, database } = this.#parts;
    return {
      identifier,
      runtimeType,
      where: here,
      declaration: async () =>
        debugging.get(identifier)?.declaration ?? (await database.declarations.find(identifier, runtimeType)),
    };
  }
}
