import { expect, test } from 'vitest';
import { ByteLru } from './byte-lru.ts';
import { KeyedLock } from './keyed-lock.ts';

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

test('work for one key runs one after another, for others beside it, also after a failure', async () => {
  const lock = new KeyedLock();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const log: string[] = [];
  const first = lock.run('a', async () => {
    await gate;
    log.push('first');
    throw new Error('no');
  });
  const second = lock.run('a', async () => log.push('second'));
  await lock.run('b', async () => log.push('other'));
  open();
  await expect(first).rejects.toThrow('no');
  await second;
  expect(log).toEqual(['other', 'first', 'second']);
});
