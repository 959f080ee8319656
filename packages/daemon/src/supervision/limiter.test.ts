import { expect, test } from 'vitest';
import { restartDelayMs } from './backoff.ts';
import { Limiter } from './limiter.ts';

const forever = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('never more than the limit at once, in the order of asking', async () => {
  const limiter = new Limiter(2);
  const doors = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = doors.map((door, n) =>
    limiter.run(forever, async () => {
      begun.push(n);
      await door.promise;
      return n;
    }),
  );
  await turn();
  expect(begun).toEqual([0, 1]);
  doors[1]?.resolve();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  for (const door of doors) door.resolve();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
});

test('a task that fails makes room', async () => {
  const limiter = new Limiter(1);
  await expect(limiter.run(forever, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await limiter.run(forever, async () => 'next')).toBe('next');
});

test('one who leaves while waiting gives up its place', async () => {
  const limiter = new Limiter(1);
  const door = Promise.withResolvers<void>();
  const first = limiter.run(forever, () => door.promise);
  const left = new AbortController();
  const second = limiter.run(left.signal, async () => 'never').catch((error: Error) => error.message);
  const third = limiter.run(forever, async () => 'third');
  left.abort(new Error('gone'));
  expect(await second).toBe('gone');
  door.resolve();
  await first;
  expect(await third).toBe('third');
  await expect(limiter.run(left.signal, async () => 'never')).rejects.toThrow('gone');
});

test('a limit below one still lets one through', async () => {
  expect(await new Limiter(0).run(forever, async () => 1)).toBe(1);
});

test('restarts: at once, then twice as long each time, up to five minutes, never in step', () => {
  expect([1, 2, 3, 4].map((failures) => restartDelayMs(failures, () => 1))).toEqual([0, 500, 1000, 2000]);
  expect(restartDelayMs(1000, () => 1)).toBe(300_000);
  expect(restartDelayMs(1000, () => 0)).toBe(150_000);
});
