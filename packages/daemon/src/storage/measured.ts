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
    read: (key, signal) => run('load', () => storage.read(key, signal)),
    readStream: (key, signal) => run('load', () => storage.readStream(key, signal)),
    write: (key, data, signal) => run('save', () => storage.write(key, data, signal)),
    copy: (from, to, signal) => run('copy', () => storage.copy(from, to, signal)),
    exists: (key, signal) => run('exists', () => storage.exists(key, signal)),
    stat: (key, signal) => run('state', () => storage.stat(key, signal)),
    list: (prefix, signal) => run('list', () => storage.list(prefix, signal)),
    delete: (key, signal) => run('delete', () => storage.delete(key, signal)),
    problem: () => storage.problem(),
    close: () => storage.close(),
  };
}
