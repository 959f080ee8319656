import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTooDeep, MAX_JSON_DEPTH, parseForeign } from './foreign.ts';

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
  expect(isTooDeep(JSON.stringify('[{'.repeat(5000)))).toBe(false);
  expect(isTooDeep(JSON.stringify(Array.from({ length: 5000 }, (_, i) => [{ i, text: '"[[[' }])))).toBe(false);
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
