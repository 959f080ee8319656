import { describe, expect, test } from 'vitest';
import { DatabaseError } from './database-error.ts';
import { ReadThroughCache } from './read-through-cache.ts';

type Value = { n: number };
const value = (n: number): Value => ({ n });

test('parallel readers share one load; absence is not remembered; errors are not kept', async () => {
  const cache = new ReadThroughCache<Value>({ lifetimeMs: 60_000, maxEntries: 10 });
  let loads = 0;
  const load = async () => {
    loads++;
    return loads === 1 ? undefined : value(loads);
  };
  expect(await Promise.all([cache.get('a', load), cache.get('a', load)])).toEqual([undefined, undefined]);
  expect(loads).toBe(1);
  await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
  expect(await cache.get('a', load)).toEqual(value(2));
  expect(await cache.get('a', load)).toEqual(value(2));
  expect(loads).toBe(2);
});

test('what was being read while it changed is not kept', async () => {
  const cache = new ReadThroughCache<Value>({ lifetimeMs: 60_000, maxEntries: 10 });
  const old = Promise.withResolvers<Value>();
  const reading = cache.get('a', () => old.promise);
  cache.invalidate('a');
  const fresh = cache.get('a', async () => value(2));
  old.resolve(value(1));
  expect(await reading).toEqual(value(1));
  expect(await fresh).toEqual(value(2));
  expect(cache.peek('a')).toEqual(value(2));
});

test('what is forgotten with all others counts no more at once, however long the event loop has been busy', () => {
  const cache = new ReadThroughCache<Value>({ lifetimeMs: 60_000, maxEntries: 10 });
  cache.set('a', value(1));
  expect(cache.peek('a')).toEqual(value(1));
  for (const until = performance.now() + 20; performance.now() < until; );
  cache.forgetAll();
  expect(cache.peek('a')).toBeUndefined();
});

test('the least recently used entries go first, by number and by weight', () => {
  const cache = new ReadThroughCache<Value>({ lifetimeMs: 60_000, maxEntries: 3, maxWeight: 100, weigh: ({ n }) => n });
  for (const [key, n] of [
    ['a', 10],
    ['b', 10],
    ['c', 10],
  ] as const)
    cache.set(key, value(n));
  cache.peek('a');
  cache.set('d', value(10));
  expect([cache.peek('a'), cache.peek('b')]).toEqual([value(10), undefined]);
  cache.set('e', value(85));
  expect([cache.peek('d'), cache.peek('a'), cache.peek('e')]).toEqual([undefined, value(10), value(85)]);
  cache.invalidate('e');
  cache.set('f', value(80));
  expect(cache.peek('a')).toEqual(value(10));
  cache.set('huge', value(1000));
  expect(cache.peek('huge')).toBeUndefined();
});

describe('while the database does not answer', () => {
  const outage = () => Promise.reject(new DatabaseError('unreachable', 'away', { cause: undefined }));
  const row = { n: 1 };

  async function expired(cache: ReadThroughCache<{ n: number }>) {
    await cache.get('a', async () => row);
    cache.forgetAll();
    expect(cache.peek('a')).toBeUndefined();
  }

  test('an entry whose time is over serves on, and is asked for again when it answers', async () => {
    const cache = new ReadThroughCache<{ n: number }>({ maxEntries: 10, lifetimeMs: 60_000 });
    await expired(cache);
    expect(await cache.get('a', outage)).toBe(row);
    cache.forgetAll();
    expect(await cache.get('a', async () => ({ n: 2 }))).toEqual({ n: 2 });
    cache.forgetAll();
    expect(await cache.get('a', async () => undefined)).toBeUndefined();
  });

  test('a database that hangs is not waited for', async () => {
    const cache = new ReadThroughCache<{ n: number }>({ maxEntries: 10, lifetimeMs: 60_000 });
    await expired(cache);
    expect(await cache.get('a', () => new Promise(() => undefined))).toBe(row);
  });

  test('what was changed, was never known, or fails otherwise is not made up', async () => {
    const cache = new ReadThroughCache<{ n: number }>({ maxEntries: 10, lifetimeMs: 60_000 });
    await expect(cache.get('a', outage)).rejects.toThrow('away');
    await expired(cache);
    await expect(cache.get('a', () => Promise.reject(new Error('a mistake')))).rejects.toThrow('a mistake');
    cache.forget('a');
    await expect(cache.get('a', outage)).rejects.toThrow('away');
  });
});
