/** Plugin storage without disk and database, for tests. */
import { type PluginObjects, PluginStorage, type PluginStorageOptions } from './plugin-storage.ts';

export interface MemoryStorage {
  readonly storage: PluginStorage;
  readonly objects: Map<string, Buffer>;
  /** Bytes in use by `tenant/plugin`. */
  readonly sizes: Map<string, number>;
}

export function memoryStorage(changes: Partial<PluginStorageOptions> = {}): MemoryStorage {
  const objects = new Map<string, Buffer>();
  const sizes = new Map<string, number>();
  const store: PluginObjects = {
    read: async (path) => objects.get(path),
    write: async (path, data) => {
      const parts: Uint8Array[] = [];
      if (data instanceof Uint8Array) parts.push(data);
      else for await (const part of data) parts.push(part);
      objects.set(path, Buffer.concat(parts));
    },
    stat: async (path) => {
      const bytes = objects.get(path);
      return bytes === undefined ? undefined : { size: bytes.length, lastModified: new Date(0) };
    },
    delete: async (path) => objects.delete(path),
  };
  const quotas: PluginStorageOptions['quotas'] = {
    reserve: async (tenantId, pluginId, bytes, limit) => {
      const place = `${tenantId}/${pluginId}`;
      const size = sizes.get(place) ?? 0;
      if (size + bytes > limit) return { ok: false, size };
      sizes.set(place, size + bytes);
      return { ok: true, size: size + bytes };
    },
    release: async (tenantId, pluginId, bytes) => {
      const place = `${tenantId}/${pluginId}`;
      sizes.set(place, Math.max(0, (sizes.get(place) ?? 0) - bytes));
    },
  };
  const storage = new PluginStorage({ objects: store, quotas, prefix: 'persistence', maxSize: 1 << 20, ...changes });
  return { storage, objects, sizes };
}
