import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findMember, skipValue, sliceMember } from './slice.ts';

test('the slice of a member is its own text', () => {
  const text = ' { "a" : [1, {"b":"]}"}] ,"b\\"x":1.50, "data":{"n":12345678901234567890,"s":"\\\\"} }';
  expect(sliceMember(text, 'a')).toBe('[1, {"b":"]}"}]');
  expect(sliceMember(text, 'data')).toBe('{"n":12345678901234567890,"s":"\\\\"}');
  expect(sliceMember(text, 'n')).toBeUndefined();
});

test('of duplicate keys the last counts, as it does for JSON.parse', () => {
  expect(sliceMember('{"a":1,"a":2}', 'a')).toBe('2');
});

test('every member of any object is found where JSON.parse sees it', () => {
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string().filter((k) => !/["\\]/.test(k) && JSON.stringify(k) === `"${k}"`),
        fc.jsonValue(),
      ),
      fc.constantFrom(undefined, 1, '\t'),
      (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        for (const [key, item] of Object.entries(value)) {
          const slice = sliceMember(text, key);
          expect(slice === undefined ? undefined : JSON.parse(slice)).toEqual(JSON.parse(JSON.stringify(item)));
        }
      },
    ),
  );
});

test('no text makes the scanner throw or run away', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(skipValue(text, 0)).toBeLessThanOrEqual(text.length);
      const at = findMember(`{"k":${text}`, 'k');
      expect(at === undefined || at.end >= at.start).toBe(true);
    }),
  );
});
