import { KeyedLock } from '../../concurrency/index.ts';
import type { TenantStorages } from '../../database/index.ts';
import { type ObjectStorage, objectKey } from '../../storage/index.ts';
import { MAX_KEY_BYTES, objectPath, StorageKeyError, type StorageNamespace } from './storage-key.ts';

/** The part of object storage that plugin storage needs. */
export type PluginObjects = Pick<ObjectStorage, 'read' | 'write' | 'stat' | 'delete'>;

export interface PluginStorageOptions {
  readonly objects: PluginObjects;
  readonly quotas: Pick<TenantStorages, 'reserve' | 'release'>;
  /** PERSISTENCE_STORAGE_PATH. */
  readonly prefix: string;
  /** PERSISTENCE_STORAGE_MAX_SIZE: bytes for each plugin in each tenant. */
  readonly maxSize: number;
  /** Told of every value that was written or deleted. */
  readonly onChanged?: (namespace: StorageNamespace, key: string) => void;
}

/**
 * A write behind another of the same object. A later one of the same size takes its place: both would meet the same quota,
 * and nobody could have read what was overwritten at once. So parallel writers of one key cost one write, not a queue.
 */
interface WaitingWrite {
  bytes: Buffer;
  readonly limit: number;
  done: Promise<void>;
}

/** A write would go over the quota. */
export class QuotaError extends Error {
  override readonly name = 'QuotaError';
}

/**
 * Key-value storage of plugins: objects, and the sum of their sizes for each plugin in each tenant.
 *
 * The sum is raised before an object grows and lowered after it shrank, so it is never below what is stored; whoever is
 * killed in between leaves it too high, never data uncounted (docs/wire/state.md#storage-of-plugins). Nothing is cached: objects are read
 * where they stand, so no reader sees old values.
 */
export class PluginStorage {
  readonly #objects: PluginObjects;
  readonly #quotas: Pick<TenantStorages, 'reserve' | 'release'>;
  readonly #prefix: string;
  readonly #maxSize: number;
  readonly #onChanged: NonNullable<PluginStorageOptions['onChanged']>;
  /** Old size and write belong together. */
  readonly #writes = new KeyedLock();
  /** The last write of each object that has not begun. */
  readonly #waiting = new Map<string, WaitingWrite>();

  constructor({ objects, quotas, prefix, maxSize, onChanged = () => undefined }: PluginStorageOptions) {
    this.#objects = objects;
    this.#quotas = quotas;
    this.#prefix = prefix;
    this.#maxSize = maxSize;
    this.#onChanged = onChanged;
  }

  /**
   * Undefined when nothing is stored.
   * @param admit told the size before anything is read; reading waits for it
   * @throws StorageKeyError
   */
  async get(
    namespace: StorageNamespace,
    key: string,
    admit: (size: number) => Promise<void> = async () => undefined,
  ): Promise<Buffer | undefined> {
    const path = this.#path(namespace, key);
    const found = await this.#objects.stat(path);
    if (found === undefined) return undefined;
    await admit(found.size);
    return this.#objects.read(path);
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
    const waiting = this.#waiting.get(path);
    if (waiting !== undefined && waiting.limit === limit && waiting.bytes.length === bytes.length) {
      waiting.bytes = bytes;
      return waiting.done;
    }
    const write: WaitingWrite = { bytes, limit, done: Promise.resolve() };
    this.#waiting.set(path, write);
    write.done = this.#writes.run(path, async () => {
      if (this.#waiting.get(path) === write) this.#waiting.delete(path);
      await this.#write(namespace, path, write.bytes, limit);
      this.#onChanged(namespace, key);
    });
    return write.done;
  }

  /** False when nothing was stored. @throws StorageKeyError */
  async delete(namespace: StorageNamespace, key: string): Promise<boolean> {
    const path = this.#path(namespace, key);
    // A later write must not overtake this.
    this.#waiting.delete(path);
    return this.#writes.run(path, async () => {
      const old = await this.#objects.stat(path);
      if (old === undefined) return false;
      await this.#objects.delete(path);
      this.#onChanged(namespace, key);
      if (old.size > 0) await this.#quotas.release(namespace.tenantId, namespace.pluginId, old.size);
      return true;
    });
  }

  /** @throws StorageKeyError */
  async exists(namespace: StorageNamespace, key: string): Promise<boolean> {
    return (await this.#objects.stat(this.#path(namespace, key))) !== undefined;
  }

  async #write(namespace: StorageNamespace, path: string, bytes: Buffer, limit: number): Promise<void> {
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
  }

  #path(namespace: StorageNamespace, key: string): string {
    return objectKey(this.#prefix, objectPath(namespace, key));
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
