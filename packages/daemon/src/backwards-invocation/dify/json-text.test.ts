import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberText, singleLine, withMember } from './json-text.ts';

test('a member keeps the digits and the unknown parts of its text', () => {
  const json = '{ "a" : [1, {"data": 2}], "data" :\n {"n": 12345678901234567890, "x": "}\\"{,"} , "error":"" }';
  expect(memberText(json, 'data')?.trim()).toBe('{"n": 12345678901234567890, "x": "}\\"{,"}');
  expect(memberText(json, 'missing')).toBeUndefined();
  expect(memberText('{}', 'data')).toBeUndefined();
});

test('members are found under escaped names, and the last of two counts', () => {
  expect(memberText('{"d\\u0061ta":1}', 'data')).toBe('1');
  expect(memberText('{"data":1,"data":2}', 'data')).toBe('2');
});

test('setting a member replaces it in place or appends it', () => {
  expect(withMember('{"a":[1,2],"b":3}', 'a', '[]')).toBe('{"a":[],"b":3}');
  expect(withMember('{"b":3}', 'a', '[]')).toBe('{"b":3,"a":[]}');
  expect(withMember('{ }', 'a', '[]')).toBe('{"a":[]}');
});

const jsonObject = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => ({ ...value }));

test('for any object and layout, member text is the text of the member', () => {
  fc.assert(
    fc.property(jsonObject, fc.jsonValue(), fc.constantFrom(0, 1, '\t'), (object, data, space) => {
      const whole = { ...object, data };
      const text = memberText(JSON.stringify(whole, null, space), 'data') ?? '';
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(data)));
    }),
  );
});

test('for any object, setting a member changes that member alone', () => {
  fc.assert(
    fc.property(jsonObject, fc.constantFrom(0, 1), (object, space) => {
      const set = withMember(JSON.stringify(object, null, space), 'prompt_messages', '[]');
      expect(JSON.parse(set)).toEqual({ ...JSON.parse(JSON.stringify(object)), prompt_messages: [] });
    }),
  );
});

const characters = fc.constantFrom('a', '"', '\\', '\n', '\r', '\u0085', '\u2028', '\u2029', 'é', '😀');

test('a single line has the same meaning and nothing that splits lines', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: characters }), (value) => {
      const line = singleLine(JSON.stringify(value, null, 2));
      expect(line).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(singleLine('"\u0085\u2028\u2029"')).toBe('"\\u0085\\u2028\\u2029"');
});

test('lone surrogates are replaced, pairs and escaped backslashes are not', () => {
  const line = singleLine(String.raw`{"a":"\ud83d\ude00 \ud83d \ude00 \\ud83d \u0041"}`);
  expect(JSON.parse(line)).toEqual({ a: `😀 \ufffd \ufffd ${String.raw`\ud83d`} A` });
});
