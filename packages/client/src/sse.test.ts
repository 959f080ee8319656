import { expect, test } from 'vitest';
import { sseTexts } from './sse.ts';

async function textsOf(text: string, size: number): Promise<string[]> {
  const bytes = Buffer.from(text);
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  return Array.fromAsync(sseTexts(pieces()));
}

test.each([1, 3, 1000])(
  'events in pieces of %d bytes: with or without a space, a comment between, a last one without an end',
  async (size) => {
    const body = ': ping\nevent: x\ndata: {"ü":1}\r\n\r\ndata:{"b":2}\n\ndatax: no\n\ndata: {"c":3}';
    expect(await textsOf(body, size)).toEqual(['{"ü":1}', '{"b":2}', '{"c":3}']);
  },
);
