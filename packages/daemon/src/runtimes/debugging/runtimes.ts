import type { DebuggingRuntime } from './debugging-runtime.ts';

/** How long a plugin that left counts as being about to come back, in ms: its author may be restarting it. */
const awayMs = 60_000;
/** How long calls wait for one that left, since it left, in ms: the SDK reconnects after 5 s. */
const returningMs = 7_000;
const maxAway = 1_000;

const keyOf = (tenantId: string, pluginId: string): string => `${tenantId}\n${pluginId}`;

/**
 * The connected debugging plugins. Of several connections for one plugin of one tenant the newest counts
 * (docs/wire/runtime-protocol.md#debugging-connection).
 */
export class DebuggingRuntimes {
  readonly #byPlugin = new Map<string, DebuggingRuntime[]>();
  readonly #byIdentifier = new Map<string, DebuggingRuntime[]>();
  readonly #listeners = new Set<() => void>();
  /** When each left, in ms. */
  readonly #away = new Map<string, number>();
  readonly #waiting = new Map<string, Set<(runtime: DebuggingRuntime | undefined) => void>>();

  /** The plugin a tenant debugs at the moment, whether or not one of this id is installed: it stands before that one. */
  find(tenantId: string, pluginId: string): DebuggingRuntime | undefined {
    if (this.#byPlugin.size === 0) return undefined;
    return this.#byPlugin.get(keyOf(tenantId, pluginId))?.at(-1);
  }

  /** By plugin unique identifier; it contains the tenant (in its checksum). */
  get(identifier: string): DebuggingRuntime | undefined {
    return this.#byIdentifier.get(identifier)?.at(-1);
  }

  /** Whether a plugin was connected until a moment ago: a call that misses it may be tried again. */
  leftRecently(tenantId: string, pluginId: string): boolean {
    const leftAt = this.#away.get(keyOf(tenantId, pluginId));
    return leftAt !== undefined && leftAt + awayMs > Date.now();
  }

  /**
   * A plugin that is connected, or that left just now and comes back at once, as the SDK does after a lost connection: calls wait
   * those seconds instead of failing. Undefined when it does not come back, or never was there.
   */
  async returning(tenantId: string, pluginId: string): Promise<DebuggingRuntime | undefined> {
    const key = keyOf(tenantId, pluginId);
    const remaining = (this.#away.get(key) ?? 0) + returningMs - Date.now();
    const connected = this.find(tenantId, pluginId);
    if (connected !== undefined || remaining <= 0) return connected;
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    const back = Promise.withResolvers<DebuggingRuntime | undefined>();
    waiting.add(back.resolve);
    const timer = setTimeout(() => back.resolve(undefined), remaining);
    try {
      return await back.promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(back.resolve);
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }

  get size(): number {
    return [...this.#byPlugin.values()].reduce((sum, list) => sum + list.length, 0);
  }

  /** How many a tenant has connected. */
  countOf(tenantId: string): number {
    return [...this.#byPlugin.values()].flat().filter((runtime) => runtime.tenantId === tenantId).length;
  }

  /** The tenants with a plugin connected. */
  tenants(): ReadonlySet<string> {
    return new Set([...this.#byPlugin.values()].flat().map(({ tenantId }) => tenantId));
  }

  /** Everything that is connected. */
  all(): readonly DebuggingRuntime[] {
    return [...this.#byPlugin.values()].flat();
  }

  /** Told whenever one connected or left. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** One that was connected to another node left it: it may come back to this one. */
  expect(tenantId: string, pluginId: string): void {
    if (this.find(tenantId, pluginId) === undefined) this.#remember(keyOf(tenantId, pluginId));
  }

  /** Only the server adds and removes. */
  add(runtime: DebuggingRuntime): void {
    const key = keyOf(runtime.tenantId, runtime.pluginId);
    this.#byPlugin.set(key, [...(this.#byPlugin.get(key) ?? []), runtime]);
    this.#byIdentifier.set(runtime.identifier, [...(this.#byIdentifier.get(runtime.identifier) ?? []), runtime]);
    this.#away.delete(key);
    for (const resolve of this.#waiting.get(key) ?? []) resolve(runtime);
    for (const listener of this.#listeners) listener();
  }

  /** Nobody comes back any more: the server closes. */
  stopWaiting(): void {
    for (const waiting of this.#waiting.values()) for (const resolve of waiting) resolve(undefined);
    this.#away.clear();
  }

  remove(runtime: DebuggingRuntime): void {
    const key = keyOf(runtime.tenantId, runtime.pluginId);
    without(this.#byPlugin, key, runtime);
    without(this.#byIdentifier, runtime.identifier, runtime);
    if (!this.#byPlugin.has(key)) this.#remember(key);
    for (const listener of this.#listeners) listener();
  }

  #remember(key: string): void {
    const now = Date.now();
    this.#away.delete(key);
    this.#away.set(key, now);
    for (const [oldest, leftAt] of this.#away) {
      if (leftAt + awayMs > now && this.#away.size <= maxAway) break;
      this.#away.delete(oldest);
    }
  }
}

function without(map: Map<string, DebuggingRuntime[]>, key: string, runtime: DebuggingRuntime): void {
  const rest = (map.get(key) ?? []).filter((other) => other !== runtime);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
