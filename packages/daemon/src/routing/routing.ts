import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime, RuntimeType } from '@plugin-daemon/plugin-host/runtimes';
import type { Database, InstallationRecord } from '../database/index.ts';
import type { DebuggingRuntimes } from '../runtimes/debugging/index.ts';
import type { ConnectionsElsewhere } from './debugged-elsewhere.ts';
import type { NodePlacement } from './node-placement.ts';
import type { Placement, Whereabouts } from './placement.ts';

export interface RoutingParts {
  readonly debugging: Pick<DebuggingRuntimes, 'find' | 'get' | 'leftRecently' | 'returning'>;
  /** The plugins that run on this machine as processes. */
  readonly local: {
    peek(identifier: string): PluginRuntime | undefined;
    /** @throws DaemonError `not-routable` if it is not installed here, `runtime-unavailable` with the cause if it does not start */
    ready(identifier: string, signal: AbortSignal): Promise<PluginRuntime>;
  };
  /** The other nodes; absent while there can be none. */
  readonly nodes?: {
    readonly placement: Pick<NodePlacement, 'choose' | 'noticed'>;
    readonly connections: Pick<ConnectionsElsewhere, 'find' | 'get' | 'appearing'>;
  };
  /** On the serverless platform, the functions that run plugins; then nothing but debugging connections runs here. */
  readonly functions?: {
    peek(identifier: string): PluginRuntime | undefined;
    /** Where the function of a version is; undefined if none runs it. */
    urlOf(identifier: string): string | undefined | Promise<string | undefined>;
    /** @throws DaemonError `runtime-unavailable` if no function runs it */
    ready(identifier: string): Promise<PluginRuntime>;
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
   * @param handed another node has decided that it is here: it is not handed on, unless it is debugged elsewhere
   * @returns undefined if the tenant has no such plugin; `away` if it had one on a debugging connection that was lost a moment ago
   * and did not come back while it was waited for: its developer is restarting it, so the call may be tried again.
   * @throws DaemonError `not-routable` if no node can take it
   */
  find(tenantId: string, pluginId: string, handed = false): Placement | Promise<Placement | 'away' | undefined> {
    const { debugging, database } = this.#parts;
    const connected = this.#connected(tenantId, pluginId);
    if (connected !== undefined) return connected;
    const known = database.installations.peek(tenantId, pluginId);
    if (known === undefined) return this.#search(tenantId, pluginId, handed);
    const placement = this.#installed(known, handed);
    if (placement instanceof Promise) return placement;
    // Its node may have died: the row is removed later, and its developer comes back somewhere.
    return this.#isLost(placement) && debugging.leftRecently(tenantId, pluginId)
      ? this.#returning(tenantId, pluginId)
      : placement;
  }

  /** Where calls of one version go, whoever asks. Whether it runs there shows when its runtime is wanted. */
  withIdentifier(identifier: string, handed = false): Placement | Promise<Placement> {
    const { debugging, nodes, functions } = this.#parts;
    const type = debugging.get(identifier)?.type;
    const elsewhere = type === undefined && nodes?.connections.get(identifier) !== undefined;
    if (functions !== undefined && type === undefined && !elsewhere) return this.#atFunction(identifier);
    return this.#placement(identifier, elsewhere ? 'remote' : (type ?? 'local'), handed);
  }

  /** Where a call goes that nodes did not take. @throws DaemonError `not-routable` if there is nowhere else */
  again({ identifier, runtimeType }: Placement, tried: ReadonlySet<string>): Placement {
    return this.#placement(identifier, runtimeType, false, tried);
  }

  /** The runtime at a placement, if it is ready now. */
  peek({ identifier, where }: Placement): PluginRuntime | undefined {
    if (where.at === 'function') return this.#parts.functions?.peek(identifier);
    if (where.at !== 'here') return undefined;
    return this.#parts.debugging.get(identifier) ?? this.#parts.local.peek(identifier);
  }

  /**
   * The runtime at a placement, waiting while it starts.
   * @throws DaemonError `not-routable` if nothing runs it, `runtime-unavailable` with the cause if it cannot be started now.
   */
  async ready({ identifier, where }: Placement, signal: AbortSignal): Promise<PluginRuntime> {
    if (where.at === 'function' && this.#parts.functions !== undefined) return this.#parts.functions.ready(identifier);
    if (where.at !== 'here') throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
    return this.#parts.debugging.get(identifier) ?? (await this.#parts.local.ready(identifier, signal));
  }

  /** On a debugging connection, to this node before all. */
  #connected(tenantId: string, pluginId: string): Placement | undefined {
    const { debugging, nodes } = this.#parts;
    const here = debugging.find(tenantId, pluginId);
    if (here !== undefined) return this.#placement(here.identifier, here.type);
    const there = nodes?.connections.find(tenantId, pluginId);
    return there === undefined ? undefined : this.#placement(there.identifier, 'remote');
  }

  async #search(tenantId: string, pluginId: string, handed: boolean): Promise<Placement | 'away' | undefined> {
    const { debugging, database } = this.#parts;
    const found = await database.installations.find(tenantId, pluginId);
    const placement = found === undefined ? undefined : await this.#installed(found, handed);
    const lost = placement === undefined || this.#isLost(placement);
    return lost && debugging.leftRecently(tenantId, pluginId) ? await this.#returning(tenantId, pluginId) : placement;
  }

  /** It comes back to any of the nodes. */
  async #returning(tenantId: string, pluginId: string): Promise<Placement | 'away'> {
    const { debugging, nodes } = this.#parts;
    const here = debugging.returning(tenantId, pluginId);
    const there = nodes?.connections.appearing(tenantId, pluginId, here);
    const back = await Promise.race([here, there ?? here]);
    return back === undefined ? 'away' : this.#placement(back.identifier, 'remote');
  }

  #installed(
    { plugin_unique_identifier, runtime_type }: InstallationRecord,
    handed: boolean,
  ): Placement | Promise<Placement> {
    // What the other platform had installed is looked for here as well.
    return this.#parts.functions === undefined || runtime_type === 'remote'
      ? this.#placement(plugin_unique_identifier, runtime_type, handed)
      : this.#atFunction(plugin_unique_identifier);
  }

  /** A version without a function is at none: the address is empty then, and its runtime does not become ready. */
  #atFunction(identifier: string): Placement | Promise<Placement> {
    const at = (url = ''): Placement => this.#placed(identifier, 'serverless', { at: 'function', url });
    const url = this.#parts.functions?.urlOf(identifier);
    return url instanceof Promise ? url.then(at) : at(url);
  }

  #placement(identifier: string, runtimeType: RuntimeType, handed = false, tried?: ReadonlySet<string>): Placement {
    return this.#placed(identifier, runtimeType, this.#where(identifier, runtimeType, handed, tried));
  }

  #placed(identifier: string, runtimeType: RuntimeType, where: Whereabouts): Placement {
    const { debugging, database } = this.#parts;
    return {
      identifier,
      runtimeType,
      where,
      declaration: async () =>
        debugging.get(identifier)?.declaration ?? (await database.declarations.find(identifier, runtimeType)),
    };
  }

  #where(identifier: string, runtimeType: RuntimeType, handed: boolean, tried?: ReadonlySet<string>): Whereabouts {
    const { debugging, local, nodes } = this.#parts;
    if (nodes === undefined || debugging.get(identifier) !== undefined) return here;
    if (runtimeType === 'remote') {
      const there = nodes.connections.get(identifier);
      if (there === undefined || tried?.has(there.nodeId) === true) return here;
      return { at: 'node', nodeId: there.nodeId };
    }
    const isReady = local.peek(identifier) !== undefined;
    const chosen = handed ? 'here' : nodes.placement.choose(identifier, isReady, tried);
    if (chosen === 'here') {
      if (isReady) nodes.placement.noticed(identifier);
      return here;
    }
    if (chosen !== undefined) return { at: 'node', nodeId: chosen.id };
    throw new DaemonError('not-routable', 'no available node, plugin runtime not found', {
      remedy:
        'No node that may run this plugin answers: see that nodes run whose NODE_ROLE is all or runner, and PLACEMENT_PINS',
    });
  }

  /** Debugged, and connected nowhere. */
  #isLost({ identifier, runtimeType, where }: Placement): boolean {
    return runtimeType === 'remote' && where.at === 'here' && this.#parts.debugging.get(identifier) === undefined;
  }
}
