import { expect, test } from 'vitest';
import {
  array,
  boolean,
  decode,
  decodeRequest,
  int,
  number,
  object,
  record,
  required,
  string,
  validate,
} from './index.ts';

const Item = record('Item', { id: string('ID').check(required), score: number('Score') });
const Request = record('Request', {
  name: string('Name'),
  top_n: int('TopN'),
  stream: boolean('Stream'),
  params: object('Params'),
  items: array('Items', Item, { dive: true }),
  stop: array('Stop', string('')),
  kind: string('Kind').omit(),
});

test('null and missing fields become zero values, undeclared ones are dropped', () => {
  expect(decodeRequest(Request, { name: null, params: null, items: null, stream: null, other: 1 })).toEqual({
    ok: true,
    value: { name: '', top_n: 0, stream: false, params: null, items: null, stop: null },
  });
});

test('what fits is kept as it is', () => {
  const input = {
    name: 'n',
    top_n: 2,
    stream: true,
    params: { a: [1, null] },
    items: [{ id: 'i', score: 0.5 }],
    stop: [],
  };
  expect(decodeRequest(Request, input)).toEqual({ ok: true, value: input });
});

test('keys match in any case', () => {
  expect(decodeRequest(Request, { Name: 'n' })).toMatchObject({ value: { name: 'n' } });
});

test('fractions of whole numbers are cut off', () => {
  expect(decodeRequest(Request, { top_n: 2.9 })).toMatchObject({ ok: true, value: { top_n: 2 } });
});

test.each([
  [{ name: 5 }, "* 'name' expected type 'string', got unconvertible type 'float64', value: '5'"],
  [{ name: ['a'] }, "* 'name' expected type 'string', got unconvertible type '[]interface {}', value: '[a]'"],
  [{ stream: 'yes' }, "* 'stream' expected type 'bool', got unconvertible type 'string', value: 'yes'"],
  [{ top_n: '5' }, "* 'top_n' expected type 'int', got unconvertible type 'string', value: '5'"],
  [{ params: [] }, "* 'params' expected a map, got 'slice'"],
  [{ items: {} }, "* 'items': source data must be an array or slice, got map"],
  [{ items: ['x'] }, "* 'items[0]' expected a map, got 'string'"],
  [
    { items: [{ score: true }] },
    "* 'items[0].score' expected type 'float64', got unconvertible type 'bool', value: 'true'",
  ],
  [{ stop: [1] }, "* 'stop[0]' expected type 'string', got unconvertible type 'float64', value: '1'"],
])('a wrong type is named with its path: %j', (input, line) => {
  expect(decodeRequest(Request, input)).toEqual({ ok: false, message: `1 error(s) decoding:\n\n${line}` });
});

test('all mismatches are listed, sorted', () => {
  expect(decodeRequest(Request, { stream: 1, name: 1 })).toMatchObject({
    message: expect.stringMatching(/^2 error\(s\) decoding:\n\n\* 'name' .*\n\* 'stream' /),
  });
});

test('long values are shortened', () => {
  const decoded = decodeRequest(Request, { stream: 'x'.repeat(10_000) });
  expect(decoded.ok).toBe(false);
  expect(JSON.stringify(decoded).length).toBeLessThan(500);
});

test('a type with a name of its own is called by it', () => {
  expect(decodeRequest(record('', { mode: string('Mode').called('pkg.Mode') }), { mode: {} })).toEqual({
    ok: false,
    message:
      "1 error(s) decoding:\n\n* 'mode' expected type 'pkg.Mode', got unconvertible type 'map[string]interface {}', value: 'map[]'",
  });
});

test('of a million wrong items a hundred are told', () => {
  const decoded = decodeRequest(Request, { stop: Array.from({ length: 1_000_000 }, () => 1) });
  expect(decoded).toMatchObject({ message: expect.stringMatching(/^1000000 error\(s\) decoding:\n\n\* 'stop\[0\]'/) });
  expect(JSON.stringify(decoded).length).toBeLessThan(20_000);
  const { value } = decode(Request, { items: Array.from({ length: 1_000_000 }, () => ({})) });
  expect(validate(Request, value)).toHaveLength(100);
});
