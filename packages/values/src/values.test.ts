import { expect, test } from 'vitest';
import { isObject, messageOf } from './index.ts';

test('objects are what JSON calls so', () => {
  expect([{}, Object.create(null), { length: 0 }].every(isObject)).toBe(true);
  expect([null, undefined, [], 'text', 0, true, () => 0, Symbol('s'), 1n].some(isObject)).toBe(false);
});

test.each([
  ['an error', new TypeError('no such thing'), 'no such thing'],
  ['a text', 'broken', 'broken'],
  ['nothing', undefined, 'undefined'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
  ['an object without a text', Object.create(null), 'object without a text'],
  ['an object whose text is thrown', { toString: () => Number(1n) / Number(Symbol.iterator) }, 'object without a text'],
  [
    'an error whose message throws',
    Object.defineProperty(new Error('hidden'), 'message', {
      get() {
        throw new Error('not to be had');
      },
    }),
    'object without a text',
  ],
  ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 }), '7'],
])('the message of %s', (_, thrown, message) => {
  expect(messageOf(thrown)).toBe(message);
});
