import type { Metrics } from '../telemetry/index.ts';
import type { ObjectStorage } from './object-storage.ts';

type StorageMetrics = Pick<Metrics, 'storage_operations_total' | 'storage_operation_duration_seconds'>;

/** The same storage, with every operation counted and timed. */
export function measured(storage: ObjectStorage, metrics: StorageMetrics): ObjectStorage {
  const storage_type = storage.type;
  const run = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    let status = 'error';
    try {
      const result = await work();
      status = 'success';
      return result;
    } finally {
      metrics.storage_operations_total.inc({ operation, storage_type, status });
      metrics.storage_operation_duration_seconds.observe(
        { operation, storage_type },
        (performance.now() - start) / 1000,
      );
    }
  };
  return {
    type: storage_type,
    read: (key) => run('load', () => storage.read(key)),
    readStream: (key) => run('load', () => storage.readStream(key)),
    write: (key, data) => run('save', () => storage.write(key, data)),
    copy: (from, to) => run('copy', () => storage.copy(from, to)),
    exists: (key) => run('exists', () => storage.exists(key)),
    stat: (key) => run('state', () => storage.stat(key)),
    list: (prefix) => run('list', () => storage.list(prefix)),
    delete: (key) => run('delete', () => storage.delete(key)),
  };
}
