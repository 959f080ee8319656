/** What nodes know of each other. */

export type NodeRole =
  /** Takes calls and runs plugins. */
  | 'all'
  /** Takes calls and runs nothing. */
  | 'front'
  /** Runs plugins; balancers need not know it. */
  | 'runner';

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

/** A plugin on a debugging connection. */
export interface DebuggedPlugin {
  readonly tenantId: string;
  readonly pluginId: string;
  readonly identifier: string;
}

/** What a node tells of itself; it changes seldom. */
export interface NodeEntry {
  readonly name: string;
  readonly version: string;
  readonly role: NodeRole;
  readonly state: 'serving' | 'draining';
  /** Where the others reach it; the first that answers is taken. */
  readonly addresses: readonly NodeAddress[];
  /** They speak TLS. */
  readonly tls: boolean;
  readonly cores: number;
  readonly debugging: readonly DebuggedPlugin[];
  /** What takes the place of this process when it has died: plugins stay in their places. Of workers. */
  readonly place?: string;
}

export interface Member extends NodeEntry {
  readonly id: string;
  /** Plugins that are ready there: fingerprints of their identifiers. It changes with what the node tells. */
  readonly warm: ReadonlySet<string>;
  /** Calls that were open when it was last heard of. */
  readonly load: number;
  /** The existing daemon's: it knows nothing of roles, drains and marks of forwarded calls. */
  readonly foreign: boolean;
}
