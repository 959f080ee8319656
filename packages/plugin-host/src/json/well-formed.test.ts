import { expect, test } from 'vitest';
import { wellFormedJson } from './well-formed.ts';

test.each([
  ['\ud800', '"\ufffd"'],
  [{ '\udc00k': ['a\ud83d'] }, '{"\ufffdk":["a\ufffd"]}'],
  ['😀', '"😀"'],
  ['\\ud800', '"\\\\ud800"'],
  ['\\\ud800', '"\\\\\ufffd"'],
  ['\u0001\n', '"\\u0001\\n"'],
  [undefined, 'null'],
])('%j', (value, text) => {
  expect(wellFormedJson(value)).toBe(text);
});
