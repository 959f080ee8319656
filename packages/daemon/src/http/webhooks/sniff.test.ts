import { expect, test } from 'vitest';
import { sniffContentType } from './sniff.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

test.each([
  ['plain words', 'text/plain; charset=utf-8'],
  ['{"a":1}', 'text/plain; charset=utf-8'],
  ['\n\t <html>', 'text/html; charset=utf-8'],
  ['<!doctype HTML>', 'text/html; charset=utf-8'],
  ['<body class="x">', 'text/html; charset=utf-8'],
  ['<article>', 'text/plain; charset=utf-8'],
  ['  <?xml version="1.0"?>', 'text/xml; charset=utf-8'],
  ['%PDF-1.7', 'application/pdf'],
  ['\xef\xbb\xbfabc', 'text/plain; charset=utf-8'],
  ['\xff\xfeab', 'text/plain; charset=utf-16le'],
  ['GIF89a', 'image/gif'],
  ['RIFF\x01\x02\x03\x04WEBPVP8 ', 'image/webp'],
  ['RIFF\x01\x02\x03\x04WAVEfmt ', 'audio/wave'],
  ['\x89PNG\r\n\x1a\n', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image/jpeg'],
  ['\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom', 'video/mp4'],
  ['\x00\x00\x00\x19ftypmp42\x00\x00\x00\x00mp42isom', 'application/octet-stream'],
  [`${'\x01'.repeat(34)}LP`, 'application/vnd.ms-fontobject'],
  ['\x1f\x8b\x08', 'application/x-gzip'],
  ['PK\x03\x04', 'application/zip'],
  ['\x00asm', 'application/wasm'],
  ['\x00\x01\x02', 'application/octet-stream'],
  ['text with a bell\x07', 'application/octet-stream'],
])('%j is %s', (body, type) => {
  expect(sniffContentType(latin1(body))).toBe(type);
});

test('only the first 512 bytes count', () => {
  expect(sniffContentType(latin1(`${'a'.repeat(512)}\x00`))).toBe('text/plain; charset=utf-8');
});
