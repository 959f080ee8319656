import { expect, test } from 'vitest';
import { ByteLru } from './byte-lru.ts';

test('the cache forgets what was not used for longest, by entries and by bytes', () => {
  const lru = new ByteLru<string>({ maxEntries: 3, maxBytes: 1000 });
  for (const key of ['a', 'b', 'c']) lru.set(key, key, 100);
  lru.get('a');
  lru.set('d', 'd', 100);
  expect([lru.get('a'), lru.get('b'), lru.get('c'), lru.get('d')]).toEqual(['a', undefined, 'c', 'd']);
  const tight = new ByteLru<string>({ maxEntries: 100, maxBytes: 1000 });
  for (const key of ['a', 'b', 'c', 'd', 'e']) tight.set(key, key, 240);
  expect(tight.size).toBe(4);
  expect(tight.bytes).toBeLessThanOrEqual(1000);
});

test('a value that would push out most of the cache is not kept', () => {
  const lru = new ByteLru<string>({ maxEntries: 10, maxBytes: 1000 });
  lru.set('small', 'x', 10);
  lru.set('huge', 'x', 900);
  expect(lru.get('huge')).toBeUndefined();
  expect(lru.get('small')).toBe('x');
});
