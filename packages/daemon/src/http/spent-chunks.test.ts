import { expect, test } from 'vitest';
import { SpentChunks } from './spent-chunks.ts';

const chunk = (bytes = 64 * 1024): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(bytes));

test('a chunk is freed when a part of a later one comes, not before', () => {
  const chunks = new SpentChunks();
  const [first, second, third] = [chunk(), chunk(), chunk()];
  for (const each of [first, second, third]) chunks.arrived(each);
  chunks.reached(first.subarray(100));
  chunks.reached(first.subarray(200));
  expect(first.buffer.detached).toBe(false);
  chunks.reached(third.subarray(0, 10));
  expect([first, second, third].map(({ buffer }) => buffer.detached)).toEqual([true, true, false]);
});

test('what others may use stays: views of a part of their memory, small ones, parts of unknown memory', () => {
  const chunks = new SpentChunks();
  const pool = chunk(128 * 1024);
  const small = chunk(100);
  const last = chunk();
  for (const each of [pool.subarray(0, 64 * 1024), small, last]) chunks.arrived(each);
  chunks.reached(chunk());
  chunks.reached(last);
  expect([pool, small, last].map(({ buffer }) => buffer.detached)).toEqual([false, false, false]);
});

test('chunks that nobody gets parts of are not kept', () => {
  const chunks = new SpentChunks();
  const first = chunk(16 * 1024);
  chunks.arrived(first);
  for (let i = 0; i < 64; i++) chunks.arrived(chunk(16 * 1024));
  const last = chunk();
  chunks.arrived(last);
  chunks.reached(last);
  expect(first.buffer.detached).toBe(false);
});
