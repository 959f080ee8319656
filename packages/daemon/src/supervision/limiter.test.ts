import { expect, test } from 'vitest';
import { restartDelayMs } from './backoff.ts';
import { Limiter, Urgency } from './limiter.ts';

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

test('urgent tasks do not wait for those that nobody waits for, which begin only when there is room for both', async () => {
  const limiter = new Limiter(2);
  const begun: string[] = [];
  const doors = new Map<string, PromiseWithResolvers<void>>();
  const run = (name: string, urgency = new Urgency()) => {
    const door = Promise.withResolvers<void>();
    doors.set(name, door);
    void limiter.run(
      forever,
      async () => {
        begun.push(name);
        await door.promise;
      },
      urgency,
    );
    return urgency;
  };
  const urgent = () => {
    const urgency = new Urgency();
    urgency.raise('call');
    return urgency;
  };
  for (const name of ['a', 'b', 'c', 'd']) run(name);
  run('u1', urgent());
  await turn();
  expect(begun).toEqual(['a', 'b', 'u1']);
  doors.get('a')?.resolve();
  doors.get('b')?.resolve();
  await turn();
  expect(begun).toEqual(['a', 'b', 'u1', 'c']);
  run('u2', urgent());
  run('u3', urgent());
  await turn();
  expect(begun).toEqual(['a', 'b', 'u1', 'c', 'u2']);
  doors.get('u1')?.resolve();
  await turn();
  expect(begun.at(-1)).toBe('u3');
  for (const name of ['u2', 'u3', 'c']) doors.get(name)?.resolve();
  await turn();
  expect(begun.at(-1)).toBe('d');
  doors.get('d')?.resolve();
});

test('one that becomes urgent while it waits goes on at once', async () => {
  const limiter = new Limiter(1);
  const door = Promise.withResolvers<void>();
  void limiter.run(forever, () => door.promise);
  const begun: string[] = [];
  const first = limiter.run(forever, async () => void begun.push('first'));
  const urgency = new Urgency();
  const second = limiter.run(forever, async () => void begun.push('second'), urgency);
  urgency.raise('task');
  await second;
  expect(begun).toEqual(['second']);
  door.resolve();
  await first;
  expect(begun).toEqual(['second', 'first']);
  expect(await limiter.run(forever, async () => 'room is left')).toBe('room is left');
});
