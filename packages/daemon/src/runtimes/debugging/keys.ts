import { randomUUID } from 'node:crypto';
import type { Cache } from '../../cache/index.ts';

/** Life of a key since it was last asked for or used by an open connection, in ms. */
const lifetimeMs = 120 * 60_000;

const ofTenant = (tenantId: string): string => `debugging:key-of-tenant:${tenantId}`;
const ofKey = (key: string): string => `debugging:tenant-of-key:${key}`;

const form = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Connection keys: one per tenant, shared by its developers (runtime-protocols §4.2). They live in the cache, both ways round,
 * for two hours since the last request for them; an open connection keeps its tenant's key alive, so that reconnecting works.
 */
export class DebuggingKeys {
  readonly #cache: Pick<Cache, 'get' | 'set' | 'setIfAbsent' | 'delete'>;

  constructor(cache: Pick<Cache, 'get' | 'set' | 'setIfAbsent' | 'delete'>) {
    this.#cache = cache;
  }

  /** The tenant's key, made if there is none; its life begins anew. */
  async obtain(tenantId: string): Promise<string> {
    const key = await this.#cache.setIfAbsent(ofTenant(tenantId), randomUUID(), lifetimeMs);
    await this.#write(tenantId, key);
    return key;
  }

  /** A new key; the old one opens no connection any more. Open connections stay. */
  async rotate(tenantId: string): Promise<string> {
    const old = await this.#cache.get(ofTenant(tenantId));
    const key = randomUUID();
    await this.#write(tenantId, key);
    if (old !== undefined) await this.#cache.delete(ofKey(old));
    return key;
  }

  /** Whose key this is; undefined for an unknown or expired one. */
  async tenantOf(key: string): Promise<string | undefined> {
    return form.test(key) ? this.#cache.get(ofKey(key)) : undefined;
  }

  /** Prolongs the life of the tenant's key, if it has one. */
  async renew(tenantId: string): Promise<void> {
    const key = await this.#cache.get(ofTenant(tenantId));
    if (key !== undefined) await this.#write(tenantId, key);
  }

  async #write(tenantId: string, key: string): Promise<void> {
    await this.#cache.set(ofTenant(tenantId), key, lifetimeMs);
    await this.#cache.set(ofKey(key), tenantId, lifetimeMs);
  }
}
