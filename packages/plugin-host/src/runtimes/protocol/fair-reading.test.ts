import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { readFairly } from './fair-reading.ts';

test('after a piece that took long the event loop turns before the next, and nothing is lost', async () => {
  const stream = new PassThrough();
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const seen: string[] = [];
  const ended = new Promise((resolve) => stream.once('end', resolve));
  readFairly(stream, (bytes) => {
    seen.push(bytes.toString());
    now += bytes.toString() === 'slow' ? 50 : 1;
    if (bytes.toString() === 'slow') setImmediate(() => seen.push('turn'));
  });
  for (const piece of ['quick', 'slow', 'next']) stream.write(piece);
  stream.end();
  await ended;
  clock.mockRestore();
  expect(seen).toEqual(['quick', 'slow', 'turn', 'next']);
});
