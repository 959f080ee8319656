import fc from 'fast-check';
import { expect, test } from 'vitest';
import { excessOf, MAX_JSON_DEPTH, MAX_JSON_PARTS, parseForeign } from './foreign.ts';

const nested = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;

test('JSON is parsed; what is none, or too deep, is named', () => {
  expect(parseForeign('{"a":[1]}')).toEqual({ ok: true, value: { a: [1] } });
  expect(parseForeign('{')).toEqual({ ok: false, problem: 'syntax' });
  expect(parseForeign('')).toEqual({ ok: false, problem: 'syntax' });
  expect(parseForeign(nested(MAX_JSON_DEPTH)).ok).toBe(true);
  expect(parseForeign(nested(MAX_JSON_DEPTH + 2))).toEqual({ ok: false, problem: 'depth' });
  expect(parseForeign(nested(1_000_000))).toEqual({ ok: false, problem: 'depth' });
});

test('brackets in texts, and many beside each other, are not deep', () => {
  expect(excessOf(JSON.stringify('[{'.repeat(5000)))).toBeUndefined();
  expect(excessOf(JSON.stringify(Array.from({ length: 5000 }, (_, i) => [{ i, text: '"[[[' }])))).toBeUndefined();
});

test('what would become millions of objects is refused before it does', () => {
  expect(parseForeign(`[${'{},'.repeat(MAX_JSON_PARTS)}{}]`)).toEqual({ ok: false, problem: 'parts' });
  const keys = Array.from({ length: MAX_JSON_PARTS }, (_, i) => `"k${i}":0`);
  expect(parseForeign(`{${keys.join(',')}}`)).toEqual({ ok: false, problem: 'parts' });
  expect(parseForeign(`[${'0,'.repeat(2 * MAX_JSON_PARTS)}0]`).ok).toBe(true);
});

test('who has less to say may be held to fewer parts', () => {
  const members = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(',')}}`;
  expect(parseForeign(members(9), 10).ok).toBe(true);
  expect(parseForeign(members(10), 10)).toEqual({ ok: false, problem: 'parts' });
  expect(parseForeign(`[${'{},'.repeat(9)}{}]`, 10)).toEqual({ ok: false, problem: 'parts' });
  expect(parseForeign(nested(MAX_JSON_DEPTH + 2), MAX_JSON_PARTS)).toEqual({ ok: false, problem: 'depth' });
});

test('no text makes it throw, and whatever passes can be written again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('[', '{"a":', '"', '\\', '1', ']', '}', ','), { maxLength: 3000 }),
      (parts) => {
        const parsed = parseForeign(parts.join(''));
        if (parsed.ok) structuredClone(parsed.value);
      },
    ),
  );
});
