import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sendErrorRaw } from './envelope.ts';
import { readBody } from './raw-body.ts';

const MIB = 1024 * 1024;
let server: Server;
let port: number;
let serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;

beforeEach(async () => {
  server = createServer((incoming, response) => void serve(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  port = address.port;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Answers with the size of the body or with the refusal. */
const sized = (limit: number, setting?: string) => async (incoming: IncomingMessage, response: ServerResponse) => {
  try {
    response.end(String((await readBody(incoming, limit, setting)).length));
  } catch (error) {
    if (error instanceof DaemonError) sendErrorRaw(response, error);
  }
};

async function post(
  body: Buffer,
  headers: Record<string, string | number> = {},
): Promise<{ status: number; text: string }> {
  return await new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    for (let at = 0; at < body.length; at += MIB) outgoing.write(body.subarray(at, at + MIB));
    outgoing.end();
  });
}

test('a body up to the limit arrives whole, however it is sent', async () => {
  serve = sized(3 * MIB);
  for (const size of [0, 1, MIB, 3 * MIB]) {
    expect(await post(Buffer.alloc(size))).toEqual({ status: 200, text: String(size) });
    expect(await post(Buffer.alloc(size), { 'Content-Length': size })).toEqual({ status: 200, text: String(size) });
  }
});

test('a larger one is refused with limit and setting, and the sender can read that', async () => {
  serve = sized(MIB, 'A_SETTING');
  for (const headers of [{}, { 'Content-Length': 40 * MIB }]) {
    const { status, text } = await post(Buffer.alloc(40 * MIB), headers);
    expect(status).toBe(413);
    expect(text).toContain(String(MIB));
    expect(text).toContain('Raise A_SETTING');
  }
});

test('an announced one is refused before it is sent', async () => {
  serve = sized(10);
  const socket = connect(port, '127.0.0.1');
  const answer = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (part) => {
      text += part.toString();
      if (text.endsWith('}')) resolve(text);
    });
  });
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
  expect(await answer).toContain('413');
  socket.destroy();
});

test('a sender that breaks off is its own kind of error', async () => {
  const failed = Promise.withResolvers<unknown>();
  serve = async (incoming) => {
    await readBody(incoming, MIB).catch(failed.resolve);
  };
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf');
  setTimeout(() => socket.destroy(), 20);
  expect(await failed.promise).toMatchObject({ kind: 'bad-request', message: 'the client broke the request off' });
});

test('a body that was read or lost before is not waited for', async () => {
  const read = Promise.withResolvers<readonly unknown[]>();
  serve = async (incoming, response) => {
    await readBody(incoming, MIB);
    const again = await readBody(incoming, MIB);
    response.end();
    read.resolve([again.length]);
  };
  await post(Buffer.alloc(10));
  expect(await read.promise).toEqual([0]);
  const lost = Promise.withResolvers<unknown>();
  serve = async (incoming) => {
    incoming.destroy();
    await readBody(incoming, MIB).catch(lost.resolve);
  };
  await post(Buffer.alloc(10)).catch(() => undefined);
  expect(await lost.promise).toMatchObject({ kind: 'bad-request' });
});
