import type { TenantStorages } from '../../database/repositories.ts';
import { KeyedLock } from './keyed-lock.ts';
import { MAX_KEY_BYTES, objectPath, StorageKeyError, type StorageNamespace } from './storage-key.ts';

/** What plugin storage needs of object storage. Paths are relative to the storage's root, with `/` between parts. */
export interface PluginObjects {
  /** The whole object; undefined when there is none (a directory is none). */
  read(path: string): Promise<Buffer | undefined>;
  /** Creates or replaces; readers see the old or the new object, never parts. */
  write(path: string, bytes: Buffer): Promise<void>;
  /** Undefined when there is no object (a directory is none). */
  stat(path: string): Promise<{ readonly size: number } | undefined>;
  /** Removes one object, never a directory; nothing happens when there is none. */
  delete(path: string): Promise<void>;
}

export interface PluginStorageOptions {
  readonly objects: PluginObjects;
  readonly quotas: Pick<TenantStorages, 'reserve' | 'release'>;
  /** PERSISTENCE_STORAGE_PATH. */
  readonly prefix: string;
  /** PERSISTENCE_STORAGE_MAX_SIZE: bytes for each plugin in each tenant. */
  readonly maxSize: number;
}

/** A write would go over the quota. */
export class QuotaError extends Error {
  override readonly name = 'QuotaError';
}

/**
 * Key-value storage of plugins: objects, and the sum of their sizes for each plugin in each tenant.
 *
 * The sum is raised before an object grows and lowered after it shrank, so it is never below what is stored; whoever is
 * killed in between leaves it too high, never data uncounted (T1, T2). Nothing is cached: objects are read where they
 * stand, so no reader sees old values (T15).
 */
export class PluginStorage {
  readonly #objects: PluginObjects;
  readonly #quotas: Pick<TenantStorages, 'reserve' | 'release'>;
  readonly #prefix: string;
  readonly #maxSize: number;
  /** Old size and write belong together. */
  readonly #writes = new KeyedLock();

  constructor({ objects, quotas, prefix, maxSize }: PluginStorageOptions) {
    this.#objects = objects;
    this.#quotas = quotas;
    this.#prefix = prefix.replace(/\/+$/, '');
    this.#maxSize = maxSize;
  }

  /** Undefined when nothing is stored. @throws StorageKeyError */
  async get(namespace: StorageNamespace, key: string): Promise<Buffer | undefined> {
    return this.#objects.read(this.#path(namespace, key));
  }

  /**
   * @param declaredSize quota of the manifest in bytes; undefined when it declares none
   * @throws StorageKeyError, QuotaError
   */
  async set(namespace: StorageNamespace, key: string, bytes: Buffer, declaredSize: number | undefined): Promise<void> {
    const path = this.#path(namespace, key);
    if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
      throw new StorageKeyError(`key length must be less than ${MAX_KEY_BYTES} characters`);
    }
    const limit = Math.min(this.#maxSize, declaredSize ?? this.#maxSize);
    await this.#writes.run(path, async () => {
      const old = await this.#objects.stat(path);
      const growth = bytes.length - (old?.size ?? 0);
      if (growth > 0) await this.#reserve(namespace, growth, limit);
      try {
        await this.#objects.write(path, bytes);
      } catch (error) {
        if (growth > 0) await this.#quotas.release(namespace.tenantId, namespace.pluginId, growth);
        throw error;
      }
      if (growth < 0) await this.#quotas.release(namespace.tenantId, namespace.pluginId, -growth);
    });
  }

  /** False when nothing was stored. @throws StorageKeyError */
  async delete(namespace: StorageNamespace, key: string): Promise<boolean> {
    const path = this.#path(namespace, key);
    return this.#writes.run(path, async () => {
      const old = await this.#objects.stat(path);
      if (old === undefined) return false;
      await this.#objects.delete(path);
      if (old.size > 0) await this.#quotas.release(namespace.tenantId, namespace.pluginId, old.size);
      return true;
    });
  }

  /** @throws StorageKeyError */
  async exists(namespace: StorageNamespace, key: string): Promise<boolean> {
    return (await this.#objects.stat(this.#path(namespace, key))) !== undefined;
  }

  #path(namespace: StorageNamespace, key: string): string {
    return `${this.#prefix}/${objectPath(namespace, key)}`;
  }

  async #reserve({ tenantId, pluginId }: StorageNamespace, growth: number, limit: number): Promise<void> {
    const { ok, size } = await this.#quotas.reserve(tenantId, pluginId, growth, limit);
    if (!ok) {
      throw new QuotaError(
        `allocated size is greater than max storage size (${size} of ${limit} bytes are in use and ${growth} more are needed; delete keys, or raise resource.permission.storage.size of the manifest or PERSISTENCE_STORAGE_MAX_SIZE)`,
      );
    }
  }
}
