import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PassingMap } from './passing-map.ts';

test('it holds what a map holds, in the same order', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), set: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const map = new Map<string, { at: number }>();
      const passing = new PassingMap<string, { at: number }>();
      for (const [at, { key, set }] of steps.entries()) {
        if (set) map.set(key, { at });
        if (set) passing.set(key, { at });
        else expect(passing.delete(key)).toBe(map.delete(key));
      }
      expect([passing.size, passing.entries(), passing.values()]).toEqual([map.size, [...map], [...map.values()]]);
      for (const key of ['a', 'b', 'c', 'd']) {
        expect(passing.get(key)).toEqual(map.get(key));
        expect(passing.has(key)).toBe(map.has(key));
      }
    }),
  );
});

test('entries may go while they are gone through', () => {
  const passing = new PassingMap<string, { n: number }>();
  passing.set('a', { n: 1 });
  passing.set('b', { n: 2 });
  const seen = passing.entries().map(([key]) => passing.delete(key));
  expect([seen, passing.size]).toEqual([[true, true], 0]);
});
