/**
 * What Node 20 lacks of the language and the library and the bundled command line uses. Loaded before anything else, and only
 * where it is missing; not part of the daemon, which runs on its own Node.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';

const define = (target: object, name: string, value: unknown): void => {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
};

define(Promise, 'withResolvers', <T>() => {
  let settle: Pick<PromiseWithResolvers<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
});
define(URL, 'parse', (url: string, base?: string) => (URL.canParse(url, base) ? new URL(url, base) : null));
define(Map, 'groupBy', <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K) => {
  const groups = new Map<K, T[]>();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
});
const require = createRequire(import.meta.url);
// Asked for by the HTTP client while it loads, and used by nothing here: marking for other threads, and a compression that is not asked for.
define(require('node:worker_threads'), 'markAsUncloneable', () => {});
define(require('node:zlib'), 'createZstdDecompress', () => {
  throw new Error('this Node cannot decompress zstd');
});
syncBuiltinESMExports();
