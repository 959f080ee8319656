import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Cancellation } from './cancellation.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const unyielding: string[] = [];
  const cancellation = new Cancellation({ graceMs: 1000, onUnyielding: (id) => unyielding.push(id) });
  return { cancellation, unyielding };
}

test('a cancelled call that has not ended within the grace is told once', () => {
  const { cancellation, unyielding } = watched();
  cancellation.hear({ cancels: true });
  cancellation.begin('one');
  cancellation.begin('one');
  cancellation.begin('two');
  cancellation.hear({ cancelled: 'two' });
  vi.advanceTimersByTime(10_000);
  expect(unyielding).toEqual(['one']);
});

test('nobody waits for a plugin that cannot cancel, or has not said so', () => {
  const { cancellation, unyielding } = watched();
  cancellation.begin('one');
  cancellation.hear({ cancels: false });
  cancellation.begin('two');
  expect(cancellation.possible).toBe(false);
  vi.advanceTimersByTime(10_000);
  expect(unyielding).toEqual([]);
});

test('nor for one that is gone', () => {
  const { cancellation, unyielding } = watched();
  cancellation.hear({ cancels: true });
  cancellation.begin('one');
  cancellation.stop();
  vi.advanceTimersByTime(10_000);
  expect(unyielding).toEqual([]);
});

test('what a plugin says of it may be anything', () => {
  const { cancellation } = watched();
  for (const said of [
    null,
    1,
    'cancels',
    [],
    {},
    { cancels: 'yes' },
    { cancelled: 7 },
    { cancelled: 'x'.repeat(1000) },
  ])
    cancellation.hear(said);
  expect(cancellation.possible).toBeUndefined();
});
