import { expect, test } from 'vitest';
import {
  any,
  array,
  decimal,
  decimalProblem,
  decodeStrict,
  inPackage,
  int,
  nullable,
  number,
  object,
  plainDecimal,
  record,
  string,
} from './index.ts';

const Usage = record('Usage', {
  tokens: nullable(int('Tokens')),
  price: decimal('Price'),
  latency: nullable(number('Latency')),
});
const Chunk = record('Chunk', {
  model: string('Model').called('model_entities.LLMModel'),
  usage: nullable({ ...string('Usage'), type: Usage }),
  list: array('List', string('')),
});

test('a value of the wrong type is an error that names record, path and types', () => {
  expect(decodeStrict(Chunk, { model: 5 })).toEqual({
    ok: false,
    error: 'json: cannot unmarshal number into Go struct field Chunk.model of type model_entities.LLMModel',
  });
  expect(decodeStrict(Chunk, { model: 'm', usage: { tokens: 1.5 } })).toEqual({
    ok: false,
    error: 'json: cannot unmarshal number 1.5 into Go struct field Usage.usage.tokens of type int',
  });
  expect(decodeStrict(Chunk, [], 'pkg.Chunk')).toEqual({
    ok: false,
    error: 'json: cannot unmarshal array into Go value of type pkg.Chunk',
  });
});

test('null and missing are filled in; undeclared fields stay', () => {
  expect(decodeStrict(Chunk, { model: null, extra: 1 })).toEqual({
    ok: true,
    value: { model: '', usage: null, list: null, extra: 1 },
    altered: true,
  });
});

test('a complete value is not altered', () => {
  const whole = { model: 'm', usage: { tokens: 1, price: '0.5', latency: 0.1 }, list: ['a'] };
  expect(decodeStrict(Chunk, whole)).toEqual({ ok: true, value: whole, altered: false });
});

test.each([
  ['1e-7', '0.0000001'],
  [1e21, '1000000000000000000000'],
  ['0.0010', '0.001'],
  ['-0.00', '0'],
  ['.5', '0.5'],
  ['12.', '12'],
  [3, '3'],
  ['-12.50e1', '-125'],
])('decimal %s is %s', (given, plain) => {
  expect(plainDecimal(given)).toBe(plain);
});

test.each(['', 'abc', '1e', '.', true, null])('%s is no decimal', (given) => {
  expect(plainDecimal(given)).toBeUndefined();
});

test.each([
  ['x', "error decoding string 'x': can't convert x to decimal"],
  ['', `error decoding string '""': can't convert "" to decimal`],
  [true, "error decoding string 'true': can't convert true to decimal: exponent is not numeric"],
  ['1.2.3', "error decoding string '1.2.3': can't convert 1.2.3 to decimal: too many .s"],
  ['x1e5', "error decoding string 'x1e5': can't convert x1 to decimal"],
  [{}, "error decoding string '{}': can't convert {} to decimal"],
])('%j is said to be no decimal as plugin authors know it', (given, text) => {
  expect(plainDecimal(given)).toBeUndefined();
  expect(decimalProblem(given)).toBe(text);
  expect(decodeStrict(record('Usage', { price: decimal('Price') }), { price: given })).toEqual({
    ok: false,
    error: text,
  });
});

test('a text of a million zeros is no decimal, and is not looked at for long', () => {
  const text = `0.${'0'.repeat(1_000_000)}1`;
  expect(plainDecimal(text)).toBeUndefined();
  expect(decimalProblem(text).length).toBeLessThan(1000);
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  expect(decimalProblem(deep).length).toBeLessThan(1000);
  expect(plainDecimal(`0.${'0'.repeat(900)}1`)).toBe(`0.${'0'.repeat(900)}1`);
});

test('packages are named with the types of records, and fields belong to the record they stand in', () => {
  const Item = inPackage('pkg', record('Item', { id: string('ID') }));
  const Answer = inPackage('pkg', record('Answer', { items: array('Items', Item), at: int('At').called('int64') }));
  const error = (input: unknown) => {
    const decoded = decodeStrict(Answer, input);
    return decoded.ok ? undefined : decoded.error.replace('json: cannot unmarshal ', '');
  };
  expect(error(7)).toBe('number into Go value of type pkg.Answer');
  expect(error({ items: 1.5 })).toBe('number into Go struct field Answer.items of type []pkg.Item');
  expect(error({ items: ['x'] })).toBe('string into Go struct field Answer.items of type pkg.Item');
  expect(error({ items: [{ id: 1 }] })).toBe('number into Go struct field Item.items.id of type string');
  expect(error({ at: 1.5 })).toBe('number 1.5 into Go struct field Answer.at of type int64');
  expect(error({ at: 1e21 })).toBe('number 1e+21 into Go struct field Answer.at of type int64');
});

test('what is left out when empty must have its type all the same; a value of any kind stays, null too', () => {
  const Omitting = record('O', { text: string('T').omit(), map: object('M').omit(), raw: any('R').omit() });
  expect(decodeStrict(Omitting, { text: '', map: {}, raw: null })).toEqual({
    ok: true,
    value: { raw: null },
    altered: true,
  });
  expect(decodeStrict(Omitting, { text: 0 })).toMatchObject({ ok: false });
  expect(decodeStrict(Omitting, { map: [] })).toMatchObject({ ok: false });
});

test('keys count in any case', () => {
  expect(decodeStrict(Chunk, { Model: 'm', usage: null, list: null })).toMatchObject({
    ok: true,
    value: { model: 'm', usage: null, list: null },
    altered: true,
  });
});
