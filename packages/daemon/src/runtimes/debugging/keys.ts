import { randomUUID } from 'node:crypto';
import type { Cache } from '../../cache/index.ts';
import { decodeKeyEntry, encodeKeyEntry } from './key-entry.ts';
import type { KeptKey } from './key-file.ts';

/** Life of a key since it was last asked for or used by an open connection, in ms. */
const lifetimeMs = 120 * 60_000;

// Upstream's names and encoding: its nodes and ours know each other's keys while one replaces the other.
const ofTenant = (tenantId: string): string => `{remote:key:manager}:id2key:${tenantId}`;
const ofKey = (key: string): string => `{remote:key:manager}:key2id:${key}`;

const form = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type KeyCache = Pick<Cache, 'get' | 'set' | 'setIfAbsent' | 'delete'>;

export interface KeptKeys {
  /** Those of before. */
  entries(): ReadonlyMap<string, KeptKey>;
  keep(tenantId: string, key: KeptKey): void;
}

export interface DebuggingKeysOptions {
  readonly cache: KeyCache;
  /** Keeps the keys over a restart where the cache does not. */
  readonly kept?: KeptKeys | undefined;
}

/**
 * Connection keys: one per tenant, shared by its developers (docs/wire/runtime-protocol.md#connection-keys). They live in the cache, both
 * ways round, for two hours since the last request for them; an open connection keeps its tenant's key alive, so that reconnecting works.
 */
export class DebuggingKeys {
  readonly #cache: KeyCache;
  readonly #kept: KeptKeys | undefined;
  readonly #restored: Promise<void>;

  constructor({ cache, kept }: DebuggingKeysOptions) {
    this.#cache = cache;
    this.#kept = kept;
    this.#restored = this.#restore();
    this.#restored.catch(() => undefined);
  }

  /** Resolves when those of before count. */
  get restored(): Promise<void> {
    return this.#restored;
  }

  /** The tenant's key, made if there is none; its life begins anew. */
  async obtain(tenantId: string): Promise<string> {
    await this.#restored;
    const fresh = randomUUID();
    const stored = await this.#cache.setIfAbsent(ofTenant(tenantId), encodeKeyEntry('key', fresh), lifetimeMs);
    // What cannot be read is replaced: the tenant would never get a key again.
    const key = decodeKeyEntry('key', stored) ?? fresh;
    await this.#write(tenantId, key);
    return key;
  }

  /** A new key; the old one opens no connection any more. Open connections stay. */
  async rotate(tenantId: string): Promise<string> {
    await this.#restored;
    const old = await this.#keyOf(tenantId);
    const key = randomUUID();
    await this.#write(tenantId, key);
    if (old !== undefined) await this.#cache.delete(ofKey(old));
    return key;
  }

  /** Whose key this is; undefined for an unknown or expired one. */
  async tenantOf(key: string): Promise<string | undefined> {
    await this.#restored;
    if (!form.test(key)) return undefined;
    const stored = await this.#cache.get(ofKey(key));
    return stored === undefined ? undefined : decodeKeyEntry('tenant_id', stored);
  }

  /** Prolongs the life of the tenant's key, if it has one. */
  async renew(tenantId: string): Promise<void> {
    const key = await this.#keyOf(tenantId);
    if (key !== undefined) await this.#write(tenantId, key);
  }

  async #keyOf(tenantId: string): Promise<string | undefined> {
    const stored = await this.#cache.get(ofTenant(tenantId));
    return stored === undefined ? undefined : decodeKeyEntry('key', stored);
  }

  async #write(tenantId: string, key: string, forMs: number = lifetimeMs): Promise<void> {
    await this.#cache.set(ofTenant(tenantId), encodeKeyEntry('key', key), forMs);
    await this.#cache.set(ofKey(key), encodeKeyEntry('tenant_id', tenantId), forMs);
    this.#kept?.keep(tenantId, { key, until: Date.now() + forMs });
  }

  async #restore(): Promise<void> {
    for (const [tenantId, { key, until }] of [...(this.#kept?.entries() ?? [])]) {
      await this.#write(tenantId, key, until - Date.now());
    }
  }
}
