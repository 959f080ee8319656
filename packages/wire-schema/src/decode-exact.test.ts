import { expect, test } from 'vitest';
import { any, array, boolean, decodeExactly, int, nested, nullable, number, object, record, string } from './index.ts';

const Inner = record('Inner', { name: string('Name') });
const Request = record('', {
  id: string('ID'),
  count: nullable(int('Count')),
  part: number('Part'),
  sure: boolean('Sure'),
  inner: nullable(nested('Inner', Inner)),
  list: array('List', Inner),
  free: object('Free'),
  any: any('Any'),
});

test('what is declared and of its type is taken; what is missing or null has its zero value', () => {
  const given = {
    id: 'a',
    count: 3,
    part: 0.5,
    sure: true,
    inner: { name: 'x' },
    list: [{ name: 'y' }],
    free: { a: 1 },
    any: [1],
  };
  expect(decodeExactly(Request, given)).toEqual({ ok: true, value: given });
  const nothing = { id: '', count: null, part: 0, sure: false, inner: null, list: null, free: null, any: null };
  expect(decodeExactly(Request, {})).toEqual({ ok: true, value: nothing });
  expect(decodeExactly(Request, nothing)).toEqual({ ok: true, value: nothing });
});

test.each([
  [{ ID: 'a' }, 'ID is no field: there are id, count, part, sure, inner, list, free, any'],
  [JSON.parse('{"__proto__": {"sure": true}}'), /^__proto__ is no field/],
  [{ ['x'.repeat(100)]: 1 }, /^x{64} is no field/],
  [{ id: 7 }, 'id is not a text'],
  [{ count: '3' }, 'count is not a whole number'],
  [{ count: 1.5 }, 'count is not a whole number'],
  [{ count: 2 ** 60 }, 'count is not a whole number'],
  [{ count: true }, 'count is not a whole number'],
  [{ part: 'much' }, 'part is not a number'],
  [{ sure: 'true' }, 'sure is not true or false'],
  [{ sure: 1 }, 'sure is not true or false'],
  [{ inner: { nam: 'x' } }, 'inner.nam is no field: there are name'],
  [{ list: {} }, 'list is not a list'],
  [{ list: [{ name: 'a' }, { name: [] }] }, 'list[1].name is not a text'],
  [{ free: [] }, 'free is not an object'],
  [[], 'the request is not an object'],
  ['text', 'the request is not an object'],
  [null, 'the request is not an object'],
])('%j', (input, problem) => {
  expect(decodeExactly(Request, input)).toEqual({
    ok: false,
    problem: typeof problem === 'string' ? problem : expect.stringMatching(problem),
  });
});
