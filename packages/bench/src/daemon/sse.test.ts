import { expect, test } from 'vitest';
import { EventCounter, sseEvents } from './sse.ts';

const TEXT = Buffer.from(
  [
    '{"code":0,"message":"success","data":"é中"}',
    '{"code":-500,"message":"x","data":null}',
    '{"code":0,"message":"","data":3}',
  ]
    .map((e) => `data: ${e}\n\n`)
    .join(''),
);

async function* cutAt(...places: number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const to of [...places, TEXT.length]) {
    yield TEXT.subarray(from, to);
    from = to;
  }
}

test('events are found wherever the stream is cut', async () => {
  for (let cut = 0; cut <= TEXT.length; cut++) {
    const seen = [];
    for await (const event of sseEvents(cutAt(cut, Math.min(cut + 1, TEXT.length)))) seen.push(event.data);
    expect(seen).toEqual(['é中', null, 3]);
  }
});

test('the counter counts the same events', () => {
  for (let cut = 0; cut <= TEXT.length; cut++) {
    const counter = new EventCounter();
    for (const part of [TEXT.subarray(0, cut), TEXT.subarray(cut, cut + 1), TEXT.subarray(cut + 1)])
      if (part.length > 0) counter.push(part);
    expect([counter.events, counter.bytes]).toEqual([3, TEXT.length]);
  }
});

test('bytes one at a time are counted too', () => {
  const counter = new EventCounter();
  for (const byte of TEXT) counter.push(Buffer.from([byte]));
  expect(counter.events).toBe(3);
});
