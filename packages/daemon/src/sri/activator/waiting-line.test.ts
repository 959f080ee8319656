import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WaitingLine } from './waiting-line.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new AbortController().signal;

test('who waits longest is admitted first', async () => {
  const line = new WaitingLine<string>(10, 1000);
  const waiting = [line.wait(never()), line.wait(never())];
  expect(line.admit('first') && line.admit('second')).toBe(true);
  expect(line.admit('nobody')).toBe(false);
  expect(await Promise.all(waiting)).toEqual(['first', 'second']);
});

test('there is room for so many, and the next is refused with the setting', async () => {
  const line = new WaitingLine<string>(1, 1000);
  const waiting = line.wait(never());
  await expect(line.wait(never())).rejects.toMatchObject({ type: 'TooManyRequests', status: 429, retryAfter: 1 });
  line.admit('x');
  await waiting;
  expect(line.length).toBe(0);
});

test('nobody waits longer than it may', async () => {
  const line = new WaitingLine<string>(10, 1000);
  const waiting = line.wait(never());
  const refused = expect(waiting).rejects.toMatchObject({ type: 'FunctionNotReady', status: 503 });
  await vi.advanceTimersByTimeAsync(1000);
  await refused;
  expect(line.length).toBe(0);
});

test('who leaves makes room', async () => {
  const line = new WaitingLine<string>(1, 1000);
  const leaving = new AbortController();
  const waiting = line.wait(leaving.signal);
  leaving.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(line.wait(AbortSignal.abort(new Error('gone before')))).rejects.toThrow('gone before');
  expect(line.length).toBe(0);
});
