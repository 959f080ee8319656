import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameDecoder, FrameError } from './frame-decoder.ts';

const LIMIT = 1 << 20;

function frame(text: string): Buffer {
  const data = Buffer.from(text);
  const prefix = Buffer.alloc(14);
  prefix[0] = 0x0f;
  prefix.writeUInt16LE(10, 2);
  prefix.writeUInt32LE(data.length, 4);
  return Buffer.concat([prefix, data]);
}

/** All frames of the bytes, pushed in pieces of the given lengths (repeated). */
function decodeAll(bytes: Buffer, lengths: readonly number[], limit = LIMIT): string[] {
  const decoder = new FrameDecoder(limit);
  const out: string[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    decoder.push(bytes.subarray(at, at + length));
    at += length;
    for (let text = decoder.next(); text !== undefined; text = decoder.next()) out.push(text);
  }
  const last = decoder.finish();
  if (last !== undefined) out.push(last);
  return out;
}

/** One to four bytes long, line ends included. */
const characters = fc.constantFrom('a', '"', '\\', '\n', '\0', '\u000f', 'é', '\u2028', '😀');

const chunkings = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

test('frames come out whole however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: characters, maxLength: 60 })), chunkings, (texts, lengths) => {
      expect(decodeAll(Buffer.concat(texts.map(frame)), lengths)).toEqual(texts);
    }),
  );
});

test('lines come out however the bytes are cut', () => {
  const values = fc.array(fc.record({ data: fc.jsonValue(), error: fc.constant('') }), { minLength: 1 });
  fc.assert(
    fc.property(values, chunkings, fc.boolean(), fc.boolean(), (objects, lengths, prefixed, closed) => {
      const lines = objects.map((value) => JSON.stringify(value));
      const text = lines.map((line) => `${prefixed ? 'data: ' : ''}${line}`).join('\n\nevent: ping\r\n\n');
      expect(decodeAll(Buffer.from(closed ? `${text}\n\n` : text), lengths)).toEqual(lines);
    }),
  );
});

test('garbage gives frames or a FrameError, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), chunkings, fc.boolean(), (bytes, lengths, framed) => {
      const input = Buffer.from(bytes);
      if (framed) input[0] = 0x0f;
      try {
        decodeAll(input, lengths);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }),
  );
});

test.each([
  ['a wrong first byte', Buffer.from([0x7f, 0, 0]), 'magic number mismatch: 127'],
  ['a wrong later byte', Buffer.concat([frame('{}'), Buffer.alloc(14, 1)]), 'magic number mismatch: 1'],
  ['a wrong header length', Buffer.from([0x0f, 0, 11, 0, ...Buffer.alloc(10)]), 'header length mismatch: 11'],
  ['a cut prefix', Buffer.from([0x0f, 0]), 'unexpected EOF\nfailed to read system header'],
  ['a cut header', frame('{}').subarray(0, 9), 'unexpected EOF\nfailed to read header'],
  ['cut data', frame('{"a":1}').subarray(0, 18), 'unexpected EOF\nfailed to read data'],
])('%s is named', (_name, bytes, message) => {
  expect(() => decodeAll(bytes, [3])).toThrow(expect.objectContaining({ name: 'FrameError', message }));
});

test('a frame or line over the limit is refused before it is collected, naming the setting', () => {
  const remedy = expect.stringContaining('RESPONSE_MAX_BUFFER_SIZE');
  const decoder = new FrameDecoder(100);
  decoder.push(frame('x'.repeat(101)).subarray(0, 14));
  expect(() => decoder.next()).toThrow(expect.objectContaining({ message: 'data length is too long: 101', remedy }));
  expect(() => decodeAll(Buffer.from(`{${' '.repeat(300)}`), [50], 100)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('data length is too long'), remedy }),
  );
});

test('an empty stream has no frames', () => {
  expect(new FrameDecoder(LIMIT).finish()).toBeUndefined();
});
