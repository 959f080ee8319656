import { expect, test } from 'vitest';
import { didYouMean, nearest } from './nearest.ts';

test.each([
  ['quary', 'query'],
  ['qurey', 'query'],
  ['Query', 'query'],
  ['api-key', 'api_key'],
  ['apikye', 'api_key'],
  ['limt', 'limit'],
])('%s was meant to be %s', (typed, meant) => {
  expect(nearest(typed, ['query', 'limit', 'api_key'])).toBe(meant);
});

test.each(['', 'x', 'language', 'q'.repeat(10_000)])('nothing is near %s', (typed) => {
  expect(nearest(typed, ['query', 'limit', 'api_key'])).toBeUndefined();
});

test('the remedy names what was meant and what there is', () => {
  expect(didYouMean('quary', ['query', 'limit'], 'it takes none')).toBe('did you mean query? there is query, limit');
  expect(didYouMean('zzz', ['query'], 'it takes none')).toBe('there is query');
  expect(didYouMean('zzz', [], 'it takes none')).toBe('it takes none');
});
