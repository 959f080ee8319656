import { expect, test } from 'vitest';
import { readBaseline, rowOf, withUpstream } from './report.ts';

const figure = (median: number) => ({ id: 'x', value: { median, min: median, max: median } });

test('a ratio is held against its target, the better way round', () => {
  const less = { title: 'p50', unit: 'ms', upstream: [1, 0.9, 1.2], target: { x: 0.6 } } as const;
  expect(rowOf(figure(0.5), less)).toMatchObject({
    ratio: '0.5×',
    target: '≤ 0.6×',
    reached: true,
    upstream: '1 (0.9–1.2) ms',
  });
  expect(rowOf(figure(0.7), less).reached).toBe(false);
  const more = { title: 'rate', unit: '/s', better: 'more', upstream: [100, 90, 110], target: { x: 5 } } as const;
  expect(rowOf(figure(500), more)).toMatchObject({ ratio: '5×', target: '≥ 5×', reached: true });
  expect(rowOf(figure(499), more).reached).toBe(false);
});

test('an absolute target needs no upstream', () => {
  const row = rowOf(figure(21), { title: 'others', unit: 'ms', target: { to: 20 } });
  expect(row).toMatchObject({ upstream: '–', ratio: '', target: '≤ 20 ms', reached: false });
});

test('every figure of the baseline can be shown', () => {
  const baseline = readBaseline();
  expect(Object.keys(baseline).length).toBeGreaterThan(40);
  for (const row of Object.values(baseline)) expect(rowOf(figure(1), row).ours).toContain('1');
});

test('another run can stand in for the recorded upstream', () => {
  const baseline = withUpstream(readBaseline(), { 'calls.c1.p50': { median: 1, min: 0.5, max: 2 } });
  expect(baseline['calls.c1.p50']?.upstream).toEqual([1, 0.5, 2]);
  expect(baseline['calls.c8.p50']?.upstream).toEqual([1.85, 1.83, 2.4]);
});
