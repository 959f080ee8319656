import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Cache } from './cache.ts';

/** What every driver does, run over the given one. */
export function cacheConformance(name: string, open: () => Promise<Cache>): void {
  describe(`cache: ${name}`, () => {
    let cache: Cache;
    beforeEach(async () => {
      cache = await open();
    });
    afterEach(() => cache.close());
    const text = async (key: string) => (await cache.get(key))?.toString();

    test('a value is there until it is deleted or its time is over', async () => {
      await cache.set('a', '1', 60_000);
      await cache.set('short', '2', 2000);
      expect([await text('a'), await text('short'), await text('none')]).toEqual(['1', '2', undefined]);
      await expect.poll(() => text('short'), { timeout: 60_000 }).toBeUndefined();
      expect([await cache.delete('a'), await cache.delete('a'), await text('a')]).toEqual([true, false, undefined]);
    });

    test('bytes come back as they went in', async () => {
      const bytes = Buffer.from([0, 0xa1, 0xff, 0x0a, 0x80]);
      await cache.set('bytes', bytes, 60_000);
      expect(await cache.get('bytes')).toEqual(bytes);
      bytes.fill(1);
      expect(await cache.get('bytes')).not.toEqual(bytes);
      expect(await cache.setIfAbsent('bytes', 'other', 60_000)).toEqual(Buffer.from([0, 0xa1, 0xff, 0x0a, 0x80]));
      await cache.set('text', 'ü€😀', 60_000);
      expect(await text('text')).toBe('ü€😀');
    });

    test('setting again starts the time anew', async () => {
      await cache.set('a', '1', 40);
      await cache.set('a', '2', 60_000);
      await pause(80);
      expect(await text('a')).toBe('2');
    });

    test('of parallel callers one decides the value for all', async () => {
      const stored = await Promise.all(['x', 'y', 'z'].map((value) => cache.setIfAbsent('k', value, 60_000)));
      expect(new Set(stored.map(String)).size).toBe(1);
      expect(await cache.get('k')).toEqual(stored[0]);
    });

    test('an event reaches every subscriber of its channel, until that ends', async () => {
      const seen: string[] = [];
      const end = await cache.subscribe('c', { message: (text) => seen.push(`1:${text}`) });
      await cache.subscribe('c', { message: (text) => seen.push(`2:${text}`) });
      await cache.subscribe('other', { message: (text) => seen.push(`other:${text}`) });
      await cache.publish('c', 'first');
      await expect.poll(() => seen.length).toBe(2);
      await end();
      await end();
      await cache.publish('c', 'second');
      await expect.poll(() => seen.length).toBe(3);
      expect(seen.toSorted()).toEqual(['1:first', '2:first', '2:second']);
    });

    test('one holds a lock at a time, in the order of asking; other names are free', async () => {
      const order: number[] = [];
      const first = await cache.lock('l');
      expect(await cache.lock('other')).toBeDefined();
      const others = [1, 2, 3].map(async (n) => {
        const lock = await cache.lock('l');
        order.push(n);
        await pause(5);
        order.push(n);
        await lock?.release();
      });
      await pause(20);
      expect(order).toEqual([]);
      await first?.release();
      await first?.release();
      await Promise.all(others);
      expect(order).toEqual([1, 1, 2, 2, 3, 3]);
      expect(await cache.lock('l', { waitMs: 0 })).toBeDefined();
    });

    test('every holder has a greater fence, and knows whether it still holds', async () => {
      const first = await cache.lock('f');
      expect([first?.held, first?.lost.aborted]).toEqual([true, false]);
      await first?.release();
      const second = await cache.lock('f');
      expect(second?.fence).toBeGreaterThan(first?.fence ?? Number.POSITIVE_INFINITY);
      expect(Number.isSafeInteger(second?.fence)).toBe(true);
      expect([first?.held, second?.held]).toEqual([false, true]);
      await second?.release();
    });

    test('waiting for a lock ends in time, or when the caller gives up', async () => {
      const held = await cache.lock('l');
      expect(await cache.lock('l', { waitMs: 0 })).toBeUndefined();
      expect(await cache.lock('l', { waitMs: 20 })).toBeUndefined();
      const controller = new AbortController();
      const waiting = cache.lock('l', { signal: controller.signal });
      controller.abort(new Error('given up'));
      await expect(waiting).rejects.toThrow('given up');
      await expect(cache.lock('l', { signal: controller.signal })).rejects.toThrow('given up');
      // Those who left do not get it: the next one does.
      const next = cache.lock('l');
      await held?.release();
      expect(await next).toBeDefined();
    });

    test('closing ends the waiting', async () => {
      await cache.lock('l');
      const waiting = cache.lock('l');
      const outcome = expect(waiting).rejects.toThrow(/closed/);
      await cache.close();
      await outcome;
    });
  });
}
