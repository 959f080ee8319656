import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the room for young objects stays small while it is held, and grows with the load afterwards', () => {
  const script = `
    import v8 from 'node:v8';
    import { holdBackForStart, releaseAfterStart } from ${JSON.stringify(new URL('./growth.ts', import.meta.url).href)};
    const megabytes = () => v8.getHeapSpaceStatistics().find((each) => each.space_name === 'new_space').space_size / 2 ** 20;
    function load() {
      let kept = [];
      for (let i = 0; i < 3_000_000; i++) {
        kept.push({ i });
        if (kept.length > 200_000) kept = [];
      }
    }
    holdBackForStart();
    const before = megabytes();
    load();
    const held = megabytes();
    releaseAfterStart();
    load();
    console.log(JSON.stringify([before, held, megabytes()]));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  const [before = 0, held = 0, released = 0] = JSON.parse(output);
  // The threads that move objects may hold a page each.
  expect(held).toBeLessThanOrEqual(before + 6);
  expect(released).toBeGreaterThan(2 * held);
});

test('while it is held nothing is optimized, however often it runs; afterwards it is', () => {
  const script = `
    import { holdBackForStart, releaseAfterStart } from ${JSON.stringify(new URL('./growth.ts', import.meta.url).href)};
    function often(n) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += i % 7;
      return sum;
    }
    function isOptimized() {
      for (let i = 0; i < 20_000; i++) often(100);
      return %ActiveTierIsMaglev(often) || %ActiveTierIsTurbofan(often);
    }
    holdBackForStart();
    const held = isOptimized();
    releaseAfterStart();
    console.log(JSON.stringify([held, isOptimized()]));`;
  const flags = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--input-type=module'];
  const output = execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual([false, true]);
});
