import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Fills a process of its own with garbage, and says how large its heap is before and once there were so many looks. */
function sizes(isBusy: boolean): { full: number; later: number } {
  const script = `
    import v8 from 'node:v8';
    import { QuietHeap } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const size = () => v8.getHeapStatistics().total_heap_size / 2 ** 20;
    let kept = Array.from({ length: 400_000 }, (_, i) => ({ i }));
    const full = size();
    kept = undefined;
    let looks = 0;
    const heap = new QuietHeap({ lookMs: 20, isBusy: () => { looks++; return ${isBusy}; } });
    const waiting = setInterval(() => {
      if (looks < 10) return;
      heap.close();
      clearInterval(waiting);
      console.log(JSON.stringify({ full, later: size() }));
    }, 20);`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

test('garbage is given back once nothing is under way', () => {
  const { full, later } = sizes(false);
  expect(later).toBeLessThan(full - 10);
});

test('while calls are under way nothing is collected', () => {
  const { full, later } = sizes(true);
  expect(later).toBeGreaterThan(full - 10);
});
