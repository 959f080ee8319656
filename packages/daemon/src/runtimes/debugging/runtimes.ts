import type { DebuggingRuntime } from './debugging-runtime.ts';

/** How long a plugin that left counts as being about to come back: the SDK reconnects after 5 s, a developer restarts it, in ms. */
const awayMs = 60_000;
const maxAway = 1_000;

const keyOf = (tenantId: string, pluginId: string): string => `${tenantId}\n${pluginId}`;

/** The connected debugging plugins. Of several connections for one plugin of one tenant the newest counts. */
export class DebuggingRuntimes {
  readonly #byPlugin = new Map<string, DebuggingRuntime[]>();
  readonly #byIdentifier = new Map<string, DebuggingRuntime[]>();
  readonly #away = new Map<string, number>();

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
    const until = this.#away.get(keyOf(tenantId, pluginId));
    return until !== undefined && until > Date.now();
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

  /** Only the server adds and removes. */
  add(runtime: DebuggingRuntime): void {
    const key = keyOf(runtime.tenantId, runtime.pluginId);
    this.#byPlugin.set(key, [...(this.#byPlugin.get(key) ?? []), runtime]);
    this.#byIdentifier.set(runtime.identifier, [...(this.#byIdentifier.get(runtime.identifier) ?? []), runtime]);
    this.#away.delete(key);
  }

  remove(runtime: DebuggingRuntime): void {
    const key = keyOf(runtime.tenantId, runtime.pluginId);
    without(this.#byPlugin, key, runtime);
    without(this.#byIdentifier, runtime.identifier, runtime);
    if (!this.#byPlugin.has(key)) this.#remember(key);
  }

  #remember(key: string): void {
    const now = Date.now();
    this.#away.delete(key);
    this.#away.set(key, now + awayMs);
    for (const [oldest, until] of this.#away) {
      if (until > now && this.#away.size <= maxAway) break;
      this.#away.delete(oldest);
    }
  }
}

function without(map: Map<string, DebuggingRuntime[]>, key: string, runtime: DebuggingRuntime): void {
  const rest = (map.get(key) ?? []).filter((other) => other !== runtime);
  if (rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
