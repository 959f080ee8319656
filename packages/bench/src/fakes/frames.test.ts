import { expect, test } from 'vitest';
import { encodeFrame, FrameReader } from './frames.ts';

const CONTENTS = [
  { data: { text: 'é中文 \u2028' }, error: '' },
  { data: null, error: 'app stopped' },
  { data: 'x'.repeat(70_000), error: '' },
];

test('frames survive being cut at every byte', () => {
  const bytes = Buffer.concat(CONTENTS.slice(0, 2).map(encodeFrame));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const reader = new FrameReader();
    expect([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))]).toEqual(CONTENTS.slice(0, 2));
    expect(reader.pending).toBe(0);
  }
});

test('a frame larger than a socket buffer arrives whole', () => {
  const reader = new FrameReader();
  const bytes = Buffer.concat(CONTENTS.map(encodeFrame));
  const seen = [];
  for (let at = 0; at < bytes.length; at += 1000) seen.push(...reader.push(bytes.subarray(at, at + 1000)));
  expect(seen).toEqual(CONTENTS);
});

test('the head is the one Dify writes', () => {
  expect([...encodeFrame({ data: 1, error: '' }).subarray(0, 14)]).toEqual([
    15, 0, 10, 0, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  ]);
});

test('other bytes are refused', () => {
  expect(() => new FrameReader().push(Buffer.from('data: {"x":1}\n\n'))).toThrow('starts with byte 100');
  const wrong = encodeFrame({ data: 1, error: '' });
  wrong.writeUInt16LE(9, 2);
  expect(() => new FrameReader().push(wrong)).toThrow('header length');
});
