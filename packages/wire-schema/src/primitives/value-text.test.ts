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

test('no value is too deep, too long or too odd', () => {
  const deep: unknown = JSON.parse(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`);
  expect(valueText(deep).length).toBeLessThan(300);
  expect(valueText(Array.from({ length: 1_000_000 }, () => 'x')).length).toBeLessThan(300);
  const many: unknown = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]));
  expect(valueText(many)).toMatch(/^map\[k0:0 k1:1 k10:10 .*…$/);
  expect(valueText(JSON.parse('{"toString":1,"__proto__":{"constructor":null},"toJSON":[]}'))).toBe(
    'map[__proto__:map[constructor:<nil>] toJSON:[] toString:1]',
  );
  expect(valueText('\ud800')).toBe('\ud800');
  const throwing = Object.defineProperty({}, 'a', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  expect(valueText(throwing)).toBe('map[a:<nil>]');
});
