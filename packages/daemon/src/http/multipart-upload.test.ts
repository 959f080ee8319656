import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { isFault, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readUpload, type Upload } from './multipart-upload.ts';
import { drainRefused } from './raw-body.ts';

const LIMIT = 1024 * 1024;
let server: Server;
let port: number;
let idleMs = 60_000;
let outcome: PromiseWithResolvers<Upload | Error>;
/** The memory of the chunks in which the last body came. */
let chunks: ArrayBufferLike[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const left = new AbortController();
    chunks = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk.buffer));
    response.once('close', () => response.writableFinished || left.abort(new Error('the client left')));
    try {
      const upload = await readUpload(request, { field: 'dify_pkg', maxFileBytes: LIMIT, idleMs }, left.signal);
      response.end('ok');
      outcome.resolve(upload);
    } catch (error) {
      response.end(toDaemonError(error).message);
      outcome.resolve(toDaemonError(error));
    } finally {
      drainRefused(request);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

type Part = readonly [name: string, content: Buffer | string, fileName?: string];

function form(parts: readonly Part[]): Buffer {
  const out: Buffer[] = [];
  for (const [name, content, fileName] of parts) {
    const file = fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`;
    out.push(
      Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...out, Buffer.from('--b--\r\n')]);
}

async function post(
  body: Buffer,
  headers: Record<string, string | number> = {},
): Promise<{ text: string; result: Upload | Error }> {
  outcome = Promise.withResolvers();
  const text = await new Promise<string>((resolve, reject) => {
    const request = send(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        headers: { 'Content-Type': 'multipart/form-data; boundary=b', ...headers },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(Buffer.concat(parts).toString()));
      },
    );
    request.on('error', reject);
    request.end(body);
  });
  return { text, result: await outcome.promise };
}

test('the file comes whole, with the fields before and after it', async () => {
  const content = Buffer.alloc(LIMIT, 7);
  const { result } = await post(
    form([
      ['verify_signature', 'true'],
      ['dify_pkg', content, 'p.difypkg'],
      ['later', 'x'],
    ]),
  );
  if (result instanceof Error) throw result;
  expect(Buffer.from(result.bytes).equals(content)).toBe(true);
  expect(Object.fromEntries(result.fields)).toEqual({ verify_signature: 'true', later: 'x' });
});

test('a large file leaves no chunks for the collector, and comes whole whatever its content', async () => {
  // Boundaries that begin and are none, at every distance from the ends of the chunks.
  const content = Buffer.alloc(LIMIT, 'x\r\n--\r\n-\r\n--a');
  const { result } = await post(form([['dify_pkg', content, 'p.difypkg']]));
  if (result instanceof Error) throw result;
  expect(Buffer.from(result.bytes).equals(content)).toBe(true);
  const large = chunks.filter((chunk) => chunk instanceof ArrayBuffer && (chunk.detached || chunk.byteLength > 16_384));
  const left = large.filter((chunk) => chunk instanceof ArrayBuffer && !chunk.detached);
  expect(large.length).toBeGreaterThan(4);
  expect(left.length).toBeLessThan(3);
});

test('a body of unknown length is taken too', async () => {
  const { result } = await post(form([['dify_pkg', 'small', 'p']]), { 'Transfer-Encoding': 'chunked' });
  if (result instanceof Error) throw result;
  expect(Buffer.from(result.bytes).toString()).toBe('small');
});

test('an empty file is a file', async () => {
  const { result } = await post(form([['dify_pkg', '', 'p']]));
  expect(result).toMatchObject({ bytes: { byteLength: 0 } });
});

test.each<[string, readonly Part[]]>([
  ['no such field', [['x', 'y']]],
  ['a field without a file name', [['dify_pkg', 'y']]],
])('%s: http: no such file', async (_name, parts) => {
  expect((await post(form(parts))).text).toBe('http: no such file');
});

test('what is not a form is named', async () => {
  expect((await post(Buffer.from('hello'), { 'Content-Type': 'text/plain' })).text).toBe(
    "request Content-Type isn't multipart/form-data",
  );
  expect((await post(Buffer.from('hello'), { 'Content-Type': 'multipart/form-data' })).text).toBe(
    'no multipart boundary param in Content-Type',
  );
});

test('a form that breaks off is named', async () => {
  expect((await post(form([['dify_pkg', 'y', 'p']]).subarray(0, -20))).text).toBe(
    'multipart: NextPart: unexpected EOF',
  );
});

test('a form may end anywhere: an error for its sender, and for nobody else', async () => {
  const whole = form([
    ['other', 'x', 'y'],
    ['dify_pkg', 'content', 'p'],
    ['last', 'one'],
  ]);
  const end = whole.lastIndexOf('--b--');
  for (let length = 0; length < end; length++) {
    const { result } = await post(whole.subarray(0, length));
    expect([length, result]).toEqual([length, expect.objectContaining({ kind: 'bad-request' })]);
    // Else every sender could fill the log with errors.
    expect(isFault(result)).toBe(false);
  }
});

/** A body that comes in these pieces, all in one turn, each in memory of its own that may be freed. */
async function inPieces(boundary: string, pieces: readonly Buffer[]): Promise<Upload> {
  const body = new Readable({ read() {} });
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  // Of a request, reading uses no more than this.
  const incoming = Object.assign(body, { headers }) as unknown as IncomingMessage;
  const upload = readUpload(incoming, { field: 'dify_pkg', maxFileBytes: LIMIT }, new AbortController().signal);
  for (const piece of pieces) body.push(Buffer.from(Uint8Array.from(piece).buffer));
  body.push(null);
  return await upload;
}

test('pieces may end anywhere, also within what might have been a boundary, and between files that nobody wants', async () => {
  const boundary = 'b0123456789';
  const delimiter = `\r\n--${boundary}`;
  const almost = Buffer.from(
    `${'y'.repeat(16 * 1024)}${delimiter.slice(0, -1)}${delimiter.slice(0, 5)}${'z'.repeat(16 * 1024)}`,
  );
  const head = (name: string) => `Content-Disposition: form-data; name="${name}"; filename="p"\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(`--${boundary}\r\n${head('other')}`),
    almost,
    Buffer.from(`${delimiter}\r\n${head('dify_pkg')}`),
    almost,
    Buffer.from(`${delimiter}\r\n${head('other')}`),
    almost,
    Buffer.from(`${delimiter}--\r\n`),
  ]);
  const first = body.indexOf(almost, body.indexOf('dify_pkg'));
  const spots = [first - 120, first + 16 * 1024 - 2, first + almost.length - 2].flatMap((from) =>
    Array.from({ length: 2 * delimiter.length + 4 }, (_, at) => from + at),
  );
  for (const at of spots) {
    const { bytes } = await inPieces(boundary, [
      body.subarray(0, at),
      body.subarray(at, at + 3),
      body.subarray(at + 3),
    ]);
    expect([at, almost.equals(bytes)]).toEqual([at, true]);
  }
});

test('a boundary that is too long is no form', async () => {
  const { result } = await post(form([]), { 'Content-Type': `multipart/form-data; boundary=${'b'.repeat(5000)}` });
  expect(result).toMatchObject({ kind: 'bad-request', message: expect.stringContaining('multipart: NextPart') });
});

test('one byte over the limit is refused', async () => {
  expect((await post(form([['dify_pkg', Buffer.alloc(LIMIT + 1), 'p']]))).text).toBe(
    'file size exceeds the maximum limit',
  );
});

test('much over the limit is refused by its length, and the sender that goes on sending reads the answer', async () => {
  expect((await post(form([['dify_pkg', Buffer.alloc(30 * LIMIT), 'p']]))).text).toBe(
    'file size exceeds the maximum limit',
  );
});

test('much over the limit without a length is refused while it streams, also in other fields', async () => {
  const chunked = { 'Transfer-Encoding': 'chunked' };
  expect((await post(form([['dify_pkg', Buffer.alloc(30 * LIMIT), 'p']]), chunked)).text).toBe(
    'file size exceeds the maximum limit',
  );
  expect((await post(form([['other', Buffer.alloc(30 * LIMIT), 'p']]), chunked)).text).toBe(
    'file size exceeds the maximum limit',
  );
});

test('a client that leaves ends the reading', async () => {
  outcome = Promise.withResolvers();
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n--b\r\n',
    );
    setTimeout(() => socket.destroy(), 50);
  });
  expect(await outcome.promise).toBeInstanceOf(Error);
});

test('a sender that stands still is given up', async () => {
  outcome = Promise.withResolvers();
  idleMs = 200;
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 500000\r\n\r\n--b\r\n',
    ),
  );
  expect(await outcome.promise).toMatchObject({ message: 'the upload stood still for 0.2 seconds' });
  socket.destroy();
});
