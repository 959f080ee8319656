import type { Member } from '../nodes/index.ts';

/** A plugin that is connected to another node for debugging. */
export interface DebuggedElsewhere {
  readonly nodeId: string;
  readonly identifier: string;
}

const keyOf = (tenantId: string, pluginId: string): string => `${tenantId}\n${pluginId}`;

/** The debugging connections of other nodes: who is debugged where, told anew whenever the nodes change. */
export class ConnectionsElsewhere {
  #byPlugin = new Map<string, DebuggedElsewhere>();
  #byIdentifier = new Map<string, DebuggedElsewhere>();
  readonly #onLost: (tenantId: string, pluginId: string) => void;
  readonly #waiting = new Map<string, Set<(found: DebuggedElsewhere) => void>>();

  /** @param onLost told of every plugin that is connected nowhere else any more */
  constructor(onLost: (tenantId: string, pluginId: string) => void) {
    this.#onLost = onLost;
  }

  find(tenantId: string, pluginId: string): DebuggedElsewhere | undefined {
    return this.#byPlugin.size === 0 ? undefined : this.#byPlugin.get(keyOf(tenantId, pluginId));
  }

  get(identifier: string): DebuggedElsewhere | undefined {
    return this.#byIdentifier.size === 0 ? undefined : this.#byIdentifier.get(identifier);
  }

  /** Takes what the nodes say now for the whole. */
  update(members: readonly Member[]): void {
    const before = this.#byPlugin;
    this.#byPlugin = new Map();
    this.#byIdentifier = new Map();
    for (const { id: nodeId, debugging } of members) {
      for (const { tenantId, pluginId, identifier } of debugging) {
        const found = { nodeId, identifier };
        this.#byIdentifier.set(identifier, found);
        // The existing daemon's nodes tell identifiers alone.
        if (tenantId !== '') this.#byPlugin.set(keyOf(tenantId, pluginId), found);
      }
    }
    for (const key of before.keys()) {
      const [tenantId = '', pluginId = ''] = key.split('\n');
      if (!this.#byPlugin.has(key)) this.#onLost(tenantId, pluginId);
    }
    for (const [key, found] of this.#byPlugin) for (const resolve of this.#waiting.get(key) ?? []) resolve(found);
  }

  /** Resolves when the plugin is connected to another node; undefined once `until` has settled. */
  async appearing(tenantId: string, pluginId: string, until: Promise<unknown>): Promise<DebuggedElsewhere | undefined> {
    const key = keyOf(tenantId, pluginId);
    const { promise, resolve } = Promise.withResolvers<DebuggedElsewhere | undefined>();
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting.add(resolve));
    until.then(
      () => resolve(undefined),
      () => resolve(undefined),
    );
    try {
      return this.find(tenantId, pluginId) ?? (await promise);
    } finally {
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }
}
