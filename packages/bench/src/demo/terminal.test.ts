import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { bar, duration, reportedShare } from './terminal.ts';

test('a share is read from the step where it names one', () => {
  expect(reportedShare('compiling 40%')).toBe(0.4);
  expect(reportedShare('installing 3/12 packages')).toBe(0.25);
  expect(reportedShare('5/0')).toBeUndefined();
  expect(reportedShare('resolving dependencies')).toBeUndefined();
});

test('the bar is equally wide at every moment', () => {
  const widths = new Set<number>();
  for (let ms = 0; ms < 10_000; ms += 37) widths.add(stripVTControlCharacters(bar('starting', ms)).length);
  for (const step of ['0%', '50%', '100%', '250%']) widths.add(stripVTControlCharacters(bar(step, 0)).length);
  expect([...widths]).toEqual([24]);
});

test('durations are short', () => {
  expect(duration(12.4)).toBe('12 ms');
  expect(duration(1234)).toBe('1.2 s');
});
