/**
 * The media type of a body by its first bytes, for answers whose plugin named none. The signatures are those of the WHATWG
 * MIME sniffing rules in the selection and order that callers know from the existing daemon.
 */

type Test = (data: Buffer, text: number) => boolean;

const limit = 512;

const exact = (signature: string): Test => {
  const bytes = Buffer.from(signature, 'latin1');
  return (data) => data.length >= bytes.length && data.subarray(0, bytes.length).equals(bytes);
};

/** `?` in the pattern stands for any byte. */
const masked = (pattern: string): Test => {
  const bytes = Buffer.from(pattern, 'latin1');
  return (data) => data.length >= bytes.length && bytes.every((byte, i) => byte === 0x3f || byte === data[i]);
};

/** A tag at the first visible character, in any case, followed by a blank or `>`. */
const tag =
  (name: string): Test =>
  (data, text) => {
    const end = data[text + name.length];
    return (end === 0x20 || end === 0x3e) && data.toString('latin1', text, text + name.length).toUpperCase() === name;
  };

const xml: Test = (data, text) => data.toString('latin1', text, text + 5) === '<?xml';

const mp4: Test = (data) => {
  if (data.length < 12) return false;
  const box = data.readUInt32BE(0);
  if (data.length < box || box % 4 !== 0 || data.toString('latin1', 4, 8) !== 'ftyp') return false;
  for (let at = 8; at < box; at += 4) {
    if (at !== 12 && data.toString('latin1', at, at + 3) === 'mp4') return true;
  }
  return false;
};

const plain: Test = (data, text) =>
  data.subarray(text).every((b) => b > 0x1f || b === 0x09 || b === 0x0a || b === 0x0c || b === 0x0d || b === 0x1b);

const html = 'text/html; charset=utf-8';
const tags = [
  '<!DOCTYPE HTML',
  '<HTML',
  '<HEAD',
  '<SCRIPT',
  '<IFRAME',
  '<H1',
  '<DIV',
  '<FONT',
  '<TABLE',
  '<A',
  '<STYLE',
  '<TITLE',
  '<B',
  '<BODY',
  '<BR',
  '<P',
  '<!--',
];

const signatures: readonly (readonly [Test, string])[] = [
  ...tags.map((name) => [tag(name), html] as const),
  [xml, 'text/xml; charset=utf-8'],
  [exact('%PDF-'), 'application/pdf'],
  [exact('%!PS-Adobe-'), 'application/postscript'],
  [masked('\xfe\xff??'), 'text/plain; charset=utf-16be'],
  [masked('\xff\xfe??'), 'text/plain; charset=utf-16le'],
  [masked('\xef\xbb\xbf?'), 'text/plain; charset=utf-8'],
  [exact('\x00\x00\x01\x00'), 'image/x-icon'],
  [exact('\x00\x00\x02\x00'), 'image/x-icon'],
  [exact('BM'), 'image/bmp'],
  [exact('GIF87a'), 'image/gif'],
  [exact('GIF89a'), 'image/gif'],
  [masked('RIFF????WEBPVP'), 'image/webp'],
  [exact('\x89PNG\r\n\x1a\n'), 'image/png'],
  [exact('\xff\xd8\xff'), 'image/jpeg'],
  [masked('FORM????AIFF'), 'audio/aiff'],
  [exact('ID3'), 'audio/mpeg'],
  [exact('OggS\x00'), 'application/ogg'],
  [exact('MThd\x00\x00\x00\x06'), 'audio/midi'],
  [masked('RIFF????AVI '), 'video/avi'],
  [masked('RIFF????WAVE'), 'audio/wave'],
  [mp4, 'video/mp4'],
  [exact('\x1a\x45\xdf\xa3'), 'video/webm'],
  [masked(`${'?'.repeat(34)}LP`), 'application/vnd.ms-fontobject'],
  [exact('\x00\x01\x00\x00'), 'font/ttf'],
  [exact('OTTO'), 'font/otf'],
  [exact('ttcf'), 'font/collection'],
  [exact('wOFF'), 'font/woff'],
  [exact('wOF2'), 'font/woff2'],
  [exact('\x1f\x8b\x08'), 'application/x-gzip'],
  [exact('PK\x03\x04'), 'application/zip'],
  [exact('Rar!\x1a\x07\x00'), 'application/x-rar-compressed'],
  [exact('Rar!\x1a\x07\x01\x00'), 'application/x-rar-compressed'],
  [exact('\x00asm'), 'application/wasm'],
  [plain, 'text/plain; charset=utf-8'],
];

/** @param body the first bytes of a non-empty body; 512 of them are looked at. */
export function sniffContentType(body: Buffer): string {
  const data = body.subarray(0, limit);
  let text = 0;
  while (text < data.length && isBlank(data[text])) text++;
  return signatures.find(([test]) => test(data, text))?.[1] ?? 'application/octet-stream';
}

const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0c || byte === 0x0d;
