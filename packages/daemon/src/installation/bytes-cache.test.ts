import { expect, test } from 'vitest';
import { BytesCache } from './bytes-cache.ts';

test('the cache forgets what was not used for longest, by entries and by bytes', () => {
  const cache = new BytesCache<string>({ maxEntries: 3, maxBytes: 1000 });
  for (const key of ['a', 'b', 'c']) cache.set(key, key, 100);
  cache.get('a');
  cache.set('d', 'd', 100);
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.get('d')]).toEqual(['a', undefined, 'c', 'd']);
  const tight = new BytesCache<string>({ maxEntries: 100, maxBytes: 1000 });
  const keys = ['a', 'b', 'c', 'd', 'e'];
  for (const key of keys) tight.set(key, key, 240);
  expect(keys.filter((key) => tight.get(key) !== undefined)).toEqual(['b', 'c', 'd', 'e']);
});

test('a value that would push out most of the cache is not kept, nor what it was to replace', () => {
  const cache = new BytesCache<string>({ maxEntries: 10, maxBytes: 1000 });
  cache.set('small', 'x', 10);
  cache.set('grown', 'x', 10);
  cache.set('grown', 'x', 900);
  expect(cache.get('grown')).toBeUndefined();
  expect(cache.get('small')).toBe('x');
});

test.each([
  { maxEntries: 0, maxBytes: 1000 },
  { maxEntries: 10, maxBytes: 0 },
])('a cache of nothing keeps nothing: $maxEntries entries, $maxBytes bytes', (limits) => {
  const cache = new BytesCache<string>(limits);
  cache.set('a', '', 0);
  expect(cache.get('a')).toBeUndefined();
});
