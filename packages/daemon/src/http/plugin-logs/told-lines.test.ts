import { describe, expect, test } from 'vitest';
import { FROM_NOW_ON, toldLines } from './told-lines.ts';

const LINE = { time: '2026-01-01T00:00:00.000Z', level: 'info', source: 'log', plugin_unique_identifier: 'a/b:1@c' };
const event = (data: unknown): string => `data: ${JSON.stringify({ code: 0, message: 'success', data })}\n\n`;

async function* bytes(text: string, size: number): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(text);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

async function told(text: string, size = 7): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const each of toldLines(bytes(text, size))) found.push(each);
  return found;
}

test.each([1, 2, 7, 100_000])('lines come out as they were told, in pieces of %i bytes', async (size) => {
  const lines = ['first', 'two\n\nlines', 'ünïcödé 😀'].map((message) => ({ ...LINE, message }));
  const text = event(lines[0]) + event(lines[1]) + FROM_NOW_ON + event(lines[2]);
  expect(await told(text, size)).toEqual([lines[0], lines[1], 'from now on', lines[2]]);
});

describe('what is no line is passed over', () => {
  test.each([
    'data: {\n\n',
    'data: null\n\n',
    'data: {"code":0}\n\n',
    event(null),
    event([]),
    event({ ...LINE }),
    event({ ...LINE, message: 5 }),
    event({ ...LINE, message: 'm', level: 'loud' }),
    event({ ...LINE, message: 'm', time: null }),
    `data: ${'['.repeat(20_000)}\n\n`,
    ': another comment\n\n',
    '\n\n\n\n',
  ])('%j', async (text) => {
    const good = { ...LINE, message: 'good' };
    expect(await told(text + event(good), 4096)).toEqual([good]);
  });
});

test('a line without end is not kept', async () => {
  await expect(told('data: '.repeat(20_000), 1000)).rejects.toThrow('more than 65536 characters');
});
