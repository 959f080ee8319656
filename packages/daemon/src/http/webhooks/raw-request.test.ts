import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalName, rawHead, webhookTarget } from './raw-request.ts';

type Request = Omit<Parameters<typeof rawHead>[0], 'bodySize'> & { readonly body: Buffer };
const rawRequest = ({ body, ...head }: Request): Buffer =>
  Buffer.concat([rawHead({ ...head, bodySize: body.length }), body]);

const base: Request = {
  method: 'POST',
  target: '/e/abcdefgh12345678/hello?b=2&a=%20x&flag',
  httpVersion: '1.1',
  rawHeaders: [],
  body: Buffer.alloc(0),
  hookId: 'abcdefgh12345678',
  secure: false,
  fallbackHost: '127.0.0.1:5002',
};
const text = (over: Partial<Request>): string => rawRequest({ ...base, ...over }).toString('latin1');

test('head in upstream order: Host, User-Agent, Content-Length, then by canonical name; the target as it came', () => {
  expect(
    text({
      rawHeaders: [
        'x-b',
        '2',
        'HOST',
        'api.example:99',
        'content-type',
        'text/plain',
        'x-a',
        '1',
        'X-B',
        '3',
        'content-length',
        '2',
        'Connection',
        'close',
        'expect',
        '100-continue',
        'transfer-encoding',
        'x',
        'Trailer',
        'T',
      ],
      body: Buffer.from('hi'),
    }),
  ).toBe(
    [
      'POST /hello?b=2&a=%20x&flag HTTP/1.1',
      'Host: api.example:99',
      'User-Agent: Go-http-client/1.1',
      'Content-Length: 2',
      'Connection: close',
      'Content-Type: text/plain',
      'Dify-Hook-Id: abcdefgh12345678',
      'Dify-Hook-Url: http://api.example:99/e/abcdefgh12345678/hello',
      'Expect: 100-continue',
      'X-A: 1',
      'X-B: 2',
      'X-B: 3',
      '',
      'hi',
    ].join('\r\n'),
  );
});

test('traces of address and proxies are taken off; the original host becomes the host', () => {
  const raw = text({
    rawHeaders: [
      'Host',
      'inside:5002',
      'X-Original-Host',
      'outside.example',
      'X-Forwarded-For',
      '1.2.3.4',
      'X-Real-IP',
      '1.2.3.4',
      'X-Forwarded',
      'f',
      'X-Original-Forwarded-For',
      'g',
      'X-Original-URL',
      '/u',
      'X-Forwarded-Proto',
      'https',
      'Dify-Hook-Id',
      'forged',
      'User-Agent',
      'curl/8',
    ],
  });
  expect(raw).toBe(
    [
      'POST /hello?b=2&a=%20x&flag HTTP/1.1',
      'Host: outside.example',
      'User-Agent: curl/8',
      'Content-Length: 0',
      'Dify-Hook-Id: abcdefgh12345678',
      'Dify-Hook-Url: https://outside.example/e/abcdefgh12345678/hello',
      'X-Forwarded-Proto: https',
      '',
      '',
    ].join('\r\n'),
  );
});

test('a given Dify-Hook-Url stays, an empty User-Agent is left out, an empty GET has no length', () => {
  const raw = text({ method: 'GET', rawHeaders: ['Host', 'h', 'User-Agent', '', 'dify-hook-url', 'https://x/e/y'] });
  expect(raw.split('\r\n').slice(1, 5)).toEqual([
    'Host: h',
    'Dify-Hook-Id: abcdefgh12345678',
    'Dify-Hook-Url: https://x/e/y',
    '',
  ]);
});

test('an HTTP/1.0 client without keep-alive closes', () => {
  expect(text({ httpVersion: '1.0' })).toContain('User-Agent: Go-http-client/1.1\r\nConnection: close\r\n');
  expect(text({ httpVersion: '1.0', rawHeaders: ['connection', 'Keep-Alive'] })).not.toContain('Connection: close');
  expect(text({ httpVersion: '1.0' })).toContain('Host: 127.0.0.1:5002');
});

test.each([
  ['/e/hook', '/'],
  ['/e/hook/', '/'],
  ['/e/hook?x=1', '/?x=1'],
  ['/e/hook//a/../b?', '//a/../b?'],
  ['/e/hook/a%2Fb', '/a%2Fb'],
  ['/e/hook/\xc3\xa4', '/\xc3\xa4'],
  ['/e/hook/\xe4', '/%E4'],
  ['/e', '/'],
])('the target of %s is %s', (target, expected) => {
  expect(webhookTarget(target)).toBe(expected);
});

test('an encoded line break in the path cannot begin a header', () => {
  const raw = text({ target: '/e/abcdefgh12345678/a%0d%0aX-Evil:%201' });
  expect(raw.split('\r\n').filter((line) => line.startsWith('X-Evil'))).toEqual([]);
});

test('names are canonical', () => {
  expect(['x-a', 'ETag', 'WWW-authenticate', 'x--y', '1a-b'].map(canonicalName)).toEqual([
    'X-A',
    'Etag',
    'Www-Authenticate',
    'X--Y',
    '1a-B',
  ]);
});

/** A reader of its own: splits head and body again. */
function read(raw: Buffer) {
  const end = raw.indexOf('\r\n\r\n');
  const [line = '', ...fields] = raw.subarray(0, end).toString('latin1').split('\r\n');
  return {
    line,
    fields: fields.map((f) => [f.slice(0, f.indexOf(': ')), f.slice(f.indexOf(': ') + 2)] as const),
    body: raw.subarray(end + 4),
  };
}

const token = fc.string({ unit: fc.constantFrom(...'abcXYZ09-_!'), minLength: 1, maxLength: 12 });
const value = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((c) => c !== 0x7f)
    .map((c) => String.fromCharCode(c)),
});

test('whatever a client sends: one request line, whole headers, exact length, body untouched', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'),
      fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((c) => String.fromCharCode(c)) }),
      fc.array(fc.tuple(token, value), { maxLength: 20 }),
      fc.uint8Array({ maxLength: 200 }),
      (method, path, headers, bytes) => {
        const body = Buffer.from(bytes);
        const raw = read(rawRequest({ ...base, method, target: `/e/hook/${path}`, rawHeaders: headers.flat(), body }));
        expect(raw.line.split(' ')).toHaveLength(3);
        expect(raw.line.startsWith(`${method} /`)).toBe(true);
        expect(raw.body.equals(body)).toBe(true);
        const names = raw.fields.map(([name]) => name);
        expect(names.filter((n) => n === 'Host')).toHaveLength(1);
        expect(names.filter((n) => n === 'Dify-Hook-Id')).toHaveLength(1);
        const length = raw.fields.find(([name]) => name === 'Content-Length')?.[1];
        expect(length ?? '0').toBe(String(body.length));
        for (const [name, sent] of headers) {
          const key = canonicalName(name);
          if (key.startsWith('X-') || key.startsWith('Dify') || key === 'Connection') continue;
          expect(raw.fields).toContainEqual([key, sent.trim()]);
        }
      },
    ),
  );
});

test.each([
  ['http://api.example:99/e/abcdefgh12345678/a/b?x=1', '/a/b?x=1', 'api.example:99'],
  ['HTTPS://user:word@api.example/e/abcdefgh12345678', '/', 'api.example'],
  ['http://api.example/e/abcdefgh12345678?x', '/?x', 'api.example'],
  ['/e/abcdefgh12345678/http://other/x', '/http://other/x', 'sent.example'],
])('a target in absolute form is a path, and its host counts (%s)', (target, line, host) => {
  const got = text({ target, rawHeaders: ['Host', 'sent.example'] });
  expect(got.startsWith(`POST ${line} HTTP/1.1\r\nHost: ${host}\r\n`)).toBe(true);
  expect(got).toContain(`Dify-Hook-Url: http://${host}/e/abcdefgh12345678`);
});

test('hidden cookies are taken out, wherever they stand; the others stay as they were', () => {
  const hiddenCookies = /^secret$/;
  const cookie = (...lines: string[]) =>
    /Cookie: .*/.exec(text({ hiddenCookies, rawHeaders: lines.flatMap((line) => ['cookie', line]) }))?.[0];
  expect(cookie('a=1; secret=x; b=2')).toBe('Cookie: a=1; b=2');
  expect(cookie('secret=x;a="1;2"')).toBe('Cookie: a="1;2"');
  expect(cookie(' secret =x')).toBeUndefined();
  expect(cookie('a=1;;  b')).toBe('Cookie: a=1;;  b');
  expect(cookie('secret=x', 'b=secret')).toBe('Cookie: b=secret');
});
