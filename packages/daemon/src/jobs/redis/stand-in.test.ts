import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StandIn } from './stand-in.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('it stands in when it was alone for a while, and leaves the work to who comes, at once', () => {
  let others = false;
  const turns: boolean[] = [];
  const standIn = new StandIn({ others: () => others, turn: (on) => turns.push(on), lookMs: 10 });
  vi.advanceTimersByTime(10);
  // It may just have been started.
  expect(turns).toEqual([]);
  vi.advanceTimersByTime(30);
  expect(turns).toEqual([true]);
  others = true;
  vi.advanceTimersByTime(10);
  expect(turns).toEqual([true, false]);
  others = false;
  vi.advanceTimersByTime(10);
  others = true;
  vi.advanceTimersByTime(10);
  expect(turns).toEqual([true, false]);
  others = false;
  standIn.close();
  vi.advanceTimersByTime(100);
  expect(turns).toEqual([true, false]);
});
