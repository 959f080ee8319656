import { expect, test } from 'vitest';
import { plainDecimal } from './decimal.ts';
import { array, decimal, decodeStrict, int, nullable, number, record, string } from './index.ts';

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
    error: 'json: cannot unmarshal number 1.5 into Go struct field Chunk.usage.tokens of type int',
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
