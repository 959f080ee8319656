import { expect, test } from 'vitest';
import { valueText } from './value-text.ts';

test.each([
  [{ b: [1, 'x', null], a: { c: true } }, 'map[a:map[c:true] b:[1 x <nil>]]'],
  [[], '[]'],
  [{}, 'map[]'],
  ['text', 'text'],
])('%j', (value, text) => {
  expect(valueText(value)).toBe(text);
});

test('scalars in a text made for strings carry their type', () => {
  expect(valueText({ id: 'x', type: 5, on: true, nothing: null }, true)).toBe(
    'map[id:x nothing:<nil> on:%!s(bool=true) type:%!s(float64=5)]',
  );
});

test('long values are shortened', () => {
  expect(valueText(['x'.repeat(10_000)]).length).toBeLessThan(300);
});
