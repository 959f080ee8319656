import { expect, test } from 'vitest';
import { quantile, shortNumber, showSpread, spread } from './stats.ts';

test('quantiles do not depend on the order of samples', () => {
  const samples = Array.from({ length: 100 }, (_, i) => (i * 37) % 100);
  expect([quantile(samples, 0.5), quantile(samples, 0.99), quantile(samples, 1), quantile(samples, 0)]).toEqual([
    50, 99, 99, 0,
  ]);
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantile([], 0.5)).toBeNaN();
});

test('a spread is the middle run with its neighbours', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spread([10, 9])).toEqual({ median: 10, min: 9, max: 10 });
  expect(() => spread([])).toThrow();
});

test('numbers stay short', () => {
  expect([0.6543, 12.345, 123.4, 48_933.2, Number.NaN].map(shortNumber)).toEqual([
    '0.654',
    '12.3',
    '123',
    '48 933',
    '–',
  ]);
  expect(showSpread({ median: 2, min: 1, max: 3 })).toBe('2 (1–3)');
  expect(showSpread({ median: 2, min: 2, max: 2 })).toBe('2');
});
