import { expect, test } from 'vitest';
import { cacheConformance } from '../conformance.suite.ts';
import { openMemoryCache } from '../index.ts';

const unexpected = (error: unknown) => {
  throw error;
};

cacheConformance('memory', async () => openMemoryCache({ onListenerError: unexpected }));

test('over its limit the oldest values go, expired ones first', async () => {
  const cache = openMemoryCache({ maxEntries: 3, onListenerError: unexpected });
  await cache.set('a', '1', 60_000);
  await cache.set('gone', '1', -1);
  await cache.set('b', '1', 60_000);
  await cache.set('c', '1', 60_000);
  expect(String(await cache.get('a'))).toBe('1');
  await cache.set('d', '1', 60_000);
  expect([await cache.get('a'), String(await cache.get('b')), String(await cache.get('d'))]).toEqual([
    undefined,
    '1',
    '1',
  ]);
});

test('a listener that throws harms neither publisher nor other listeners', async () => {
  const errors: unknown[] = [];
  const cache = openMemoryCache({ onListenerError: (error) => errors.push(error) });
  const seen: string[] = [];
  await cache.subscribe('c', {
    message: () => {
      throw new Error('listener');
    },
  });
  await cache.subscribe('c', { message: (text) => seen.push(text) });
  await cache.publish('c', 'm');
  await expect.poll(() => seen).toEqual(['m']);
  expect(errors).toHaveLength(1);
});
