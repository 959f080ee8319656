import { expect, test } from 'vitest';
import { StderrTail } from './stderr-tail.ts';

function tail() {
  const lines: string[] = [];
  const made = new StderrTail((line) => lines.push(line));
  return { made, lines, push: (text: string) => made.push(Buffer.from(text)) };
}

test('lines are handed on as they end; the text holds the begun one too', () => {
  const { made, lines, push } = tail();
  push('first\nsec');
  expect(lines).toEqual(['first']);
  push('ond\n\n   \nthird');
  expect(lines).toEqual(['first', 'second']);
  expect(made.text).toBe('first\nsecond\nthird');
});

test('nothing written is an empty text', () => {
  expect(tail().made.text).toBe('');
});

test('a character that is cut in two by a read stays whole', () => {
  const { made, lines } = tail();
  const bytes = Buffer.from('grüße 😀\n');
  for (const byte of bytes) made.push(Buffer.from([byte]));
  expect(lines).toEqual(['grüße 😀']);
});

test('only the last 4,096 characters are kept, of many lines and of one without an end', () => {
  const { made, push } = tail();
  for (let n = 0; n < 1000; n++) push(`line ${n}\n`);
  expect(made.text.length).toBeLessThanOrEqual(4096);
  expect(made.text.endsWith('line 999')).toBe(true);
  for (let n = 0; n < 100; n++) push('x'.repeat(1000));
  expect(made.text.length).toBeLessThanOrEqual(2 * 4096);
  expect(made.text.endsWith('xxx')).toBe(true);
});

test('many lines of one read leave the last of them, in order', () => {
  const { lines, made, push } = tail();
  push('before\n');
  push(Array.from({ length: 5000 }, (_, n) => `line ${n}\n\n`).join(''));
  push('after\n');
  expect(lines.length).toBe(5002);
  expect(made.text.length).toBeLessThanOrEqual(4096);
  expect(made.text.endsWith('line 4998\nline 4999\nafter')).toBe(true);
});

test('an endless line costs a bounded line of the log', () => {
  const { lines, push } = tail();
  push(`${'y'.repeat(100_000)}\n`);
  expect(lines.map((line) => line.length)).toEqual([4096]);
});
