import { expect, test, vi } from 'vitest';
import { StandingWatch } from './standing-watch.ts';

test('told once, when it is found twice in a row; what cannot be looked at is no reason', async () => {
  vi.useFakeTimers();
  try {
    const answers = ['gone', undefined, new Error('no access'), 'gone', 'gone', 'gone'];
    const problem = vi.fn(async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    });
    const onGone = vi.fn();
    const watch = new StandingWatch({ problem, everyMs: 10 }, onGone);
    await vi.advanceTimersByTimeAsync(40);
    expect(onGone).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(onGone.mock.calls).toEqual([['gone']]);
    expect(problem).toHaveBeenCalledTimes(5);
    watch.stop();
  } finally {
    vi.useRealTimers();
  }
});
