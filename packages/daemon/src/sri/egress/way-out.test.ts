import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../telemetry/index.ts';
import { SessionSecrets } from '../session-secrets.ts';
import { WayOut } from './index.ts';

/** What the outside answers next, byte by byte, and what it was asked. */
let answer = '';
let asked = '';
let outside: Server;
let way: WayOut;
let directory: string;
let path: string;
let origin: string;
const escaped: unknown[] = [];
const note = (error: unknown): void => void escaped.push(error);

beforeAll(async () => {
  process.on('uncaughtException', note);
  outside = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      asked += bytes.toString('latin1');
    });
    socket.once('data', () => {
      socket.end(answer, 'latin1');
    });
  });
  outside.listen(0, '127.0.0.1');
  await once(outside, 'listening');
  // A TCP server has such an address.
  origin = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  directory = await mkdtemp(join(tmpdir(), 'way-out-'));
  path = join(directory, 'out.sock');
  way = new WayOut({
    at: { path },
    policy: 'all',
    daemonUrl: origin,
    identifier: undefined,
    secrets: new SessionSecrets(),
    log: silentLog,
  });
  await way.listen();
});

afterAll(async () => {
  await way?.close();
  outside?.close();
  if (directory !== undefined) await rm(directory, { recursive: true });
  process.off('uncaughtException', note);
});

/** What a function gets that sends these bytes; it reads until its connection is closed. */
async function send(bytes: string, theAnswer = GOOD): Promise<string> {
  answer = theAnswer;
  asked = '';
  const socket = connect(path);
  const parts: Buffer[] = [];
  socket.on('error', () => undefined).on('data', (part: Buffer) => parts.push(part));
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const callBack = (headers: string, body = ''): string =>
  `POST /backwards-invocation/transaction HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`;

test.each([
  ['a trailer that is announced and cannot come', 'Trailer: a\r\nContent-Length: 2', 'ok', 200],
  ['a status that is none', 'Content-Length: 0', '', 502, '099'],
  ['the status 0', 'Content-Length: 0', '', 502, '000'],
  ['a switch to another protocol', 'Upgrade: x\r\nConnection: Upgrade', '', 502, '101'],
  ['a control character', 'X: a\x01b', '', 502],
  ['a body in an unknown encoding', 'Transfer-Encoding: gzip', 'ok', 200],
  ['a body where none may be', 'Transfer-Encoding: chunked', '2\r\nok\r\n0\r\n\r\n', 204, '204'],
  ['two lengths', 'Content-Length: 2\r\nContent-Length: 3', 'ok', 502],
])('an answer with %s ends its own exchange at most', async (_what, headers, body, status, line = '200') => {
  const got = await send(callBack('Content-Length: 0\r\n'), `HTTP/1.1 ${line} x\r\n${headers}\r\n\r\n${body}`);
  expect(got).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(await send(callBack('Content-Length: 0\r\n'))).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  expect(escaped).toEqual([]);
});

test.each([
  ['Content-Length: 2\r\nTrailer: a\r\n', 'ab', 'ab'],
  [
    'Transfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: a\r\n',
    '2\r\nab\r\n0\r\na: b\r\n\r\n',
    '2\r\nab\r\n0\r\n\r\n',
  ],
  ['Content-Length: 2\r\nUpgrade: websocket\r\n', 'ab', 'ab'],
  ['Content-Length: 2\r\nProxy-Authorization: secret\r\n', 'ab', 'ab'],
])('%j is of one connection, and not handed on', async (headers, body, expected) => {
  expect(await send(callBack(headers, body))).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  const [head = '', sent] = asked.split(/\r\n\r\n(.*)/s);
  expect(sent).toBe(expected);
  expect(head).not.toMatch(/^(te|trailer|upgrade|proxy-authorization):/im);
  expect(escaped).toEqual([]);
});
