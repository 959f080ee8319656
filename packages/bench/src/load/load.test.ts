import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnswerEnd, closedLoop, requestBytes } from './closed-loop.ts';
import { readStream } from './stream-reader.ts';

let server: Server;
let url = '';
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    if (request.url === '/plain') return response.setHeader('content-length', 5).end('hello');
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < 100; i++) response.write(`data: ${i}\n\n`);
      return response.end();
    }
    if (request.url === '/whole') return response.setHeader('content-length', 20).end('data: 1\n\ndata: 22\n\n\n');
    return response.writeHead(500).end('broken');
  });
  server.keepAliveTimeout = 0; // it never closes a connection by itself: the reader must know the end of an answer
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

test('the loop asks as often as it is told and no more', async () => {
  requests = 0;
  const request = requestBytes(url, { method: 'GET', path: '/plain' });
  const result = await closedLoop({ url, request, connections: 4, maxMs: 30_000, maxRequests: 50, expect: 'hello' });
  expect([result.latencies.length, result.bad, requests]).toEqual([50, 0, 50]);
});

test('bad answers are counted and shown', async () => {
  const request = requestBytes(url, { path: '/nothing', body: '{}' });
  const result = await closedLoop({ url, request, connections: 1, maxMs: 30_000, maxRequests: 3 });
  expect(result.bad).toBe(3);
  expect(result.firstBad).toContain('500 Internal Server Error');
});

test('a server that is not there is no endless loop', async () => {
  const result = await closedLoop({
    url: 'http://127.0.0.1:1',
    request: Buffer.from('x'),
    connections: 2,
    maxMs: 1000,
    maxRequests: 10,
  });
  expect([result.latencies.length, result.bad]).toEqual([0, 2]);
});

test('a stream is counted to its end', async () => {
  const result = await readStream(url, requestBytes(url, { method: 'GET', path: '/events' }));
  expect(result.events).toBe(100);
  expect(result.firstMs).toBeGreaterThan(0);
  expect(result.tail).toContain('data: 99');
});

test('a short answer with a length ends without the connection', async () => {
  const result = await readStream(url, requestBytes(url, { method: 'GET', path: '/whole' }));
  expect(result.events).toBe(2);
});

test('the beginning of the body and the end of an answer are found however it is cut', () => {
  const chunked = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0\r\n\r\r\n0\r\n\r\n');
  const sized = Buffer.from('HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n0\r\n\r\n');
  for (const [bytes, status] of [
    [chunked, '200'],
    [sized, '404'],
  ] as const) {
    for (let cut = 1; cut < bytes.length; cut++) {
      const end = new AnswerEnd();
      expect(end.push(bytes.subarray(0, cut))).toBe(false);
      expect(end.hasBegun).toBe(cut > bytes.indexOf('\r\n\r\n') + 4);
      expect(end.push(bytes.subarray(cut))).toBe(true);
      expect(end.status).toBe(status);
    }
  }
});
