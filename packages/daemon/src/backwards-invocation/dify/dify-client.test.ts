import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { enveloped, type FakeAnswer, type FakeDify, frame, frames, json, startFakeDify } from '../fake-dify.ts';
import { DifyClient, type DifyClientOptions } from './dify-client.ts';
import { DifyError } from './dify-error.ts';

const open: (AsyncDisposable | { close(): Promise<void> })[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).reverse()) {
    await ('close' in resource ? resource.close() : resource[Symbol.asyncDispose]());
  }
});

function clientOf(url: string, options: Partial<DifyClientOptions> = {}): DifyClient {
  const limits = { readTimeoutMs: 20_000, writeTimeoutMs: 20_000, maxResponseBytes: 1 << 20 };
  const client = new DifyClient({ url, key: 'inner-key', ...limits, ...options });
  open.push(client);
  return client;
}

async function connected(
  answer: FakeAnswer,
  options: Partial<DifyClientOptions> = {},
): Promise<{ fake: FakeDify; client: DifyClient }> {
  const fake = await startFakeDify(answer);
  open.push(fake);
  return { fake, client: clientOf(fake.url, options) };
}

async function collect(client: DifyClient, path = 'invoke/tool'): Promise<string[]> {
  const results: string[] = [];
  await client.stream(path, '{}', (data) => {
    results.push(data);
    return undefined;
  });
  return results;
}

/** What a failed call says, as the plugin would read it. */
async function failureOf(call: Promise<unknown>): Promise<{ text: string; stage: string }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DifyError)) throw new Error(`not a DifyError: ${String(error)}`);
  return { text: error.wireMessage, stage: error.stage };
}

test('a call carries key, trace and length, and gives the text of data', async () => {
  const { fake, client } = await connected((_request, response) => {
    response.end('{"data": {"n": 12345678901234567890, "new": 1.0}, "error": ""}');
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(await client.call('invoke/moderation', '{"text":"é"}', { traceparent })).toBe(
    '{"n": 12345678901234567890, "new": 1.0}',
  );
  expect(fake.requests).toMatchObject([
    {
      method: 'POST',
      path: '/inner/api/invoke/moderation',
      body: '{"text":"é"}',
      headers: {
        'content-type': 'application/json',
        'x-inner-api-key': 'inner-key',
        'content-length': '13',
        traceparent,
      },
    },
  ]);
  expect(fake.requests[0]?.headers).not.toHaveProperty('transfer-encoding');
});

test('a trace is made up when none is given', async () => {
  const { fake, client } = await connected(json({}));
  await client.call('x', '{}');
  expect(fake.requests[0]?.headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
});

test('a path and credentials in the address are used', async () => {
  const { fake } = await connected(json({}));
  const url = fake.url.replace('http://', 'http://me:p%40ss@');
  await clientOf(`${url}/behind/proxy/`).call('invoke/x', '{}');
  expect(fake.requests).toMatchObject([
    {
      path: '/behind/proxy/inner/api/invoke/x',
      headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    },
  ]);
});

test('connections are kept', async () => {
  const ports = new Set<number | undefined>();
  const { client } = await connected((request, response) => {
    ports.add(response.socket?.remotePort);
    json({})(request, response);
  });
  for (let i = 0; i < 10; i++) await client.call('x', '{}');
  // One is still being put back while the next call already goes out.
  expect(ports.size).toBeLessThanOrEqual(2);
});

test('large requests arrive whole', async () => {
  const { fake, client } = await connected(json({}));
  const body = JSON.stringify({ text: 'é'.repeat(600_000) });
  await client.call('x', body);
  expect(fake.requests[0]?.body === body).toBe(true);
  expect(fake.requests[0]?.headers['content-length']).toBe(String(Buffer.byteLength(body)));
});

test('frames are delivered in order, one at a time, and the body waits for a slow taker', async () => {
  const count = 400;
  const sent = Array.from({ length: count }, (_, i) => ({ i, fill: 'x'.repeat(4000) }));
  const { client } = await connected(frames(...sent));
  const taken: number[] = [];
  let busy = 0;
  await client.stream('invoke/app', '{}', async (data) => {
    busy++;
    expect(busy).toBe(1);
    if (taken.length % 50 === 0) await sleep(2);
    taken.push(JSON.parse(data).i);
    busy--;
  });
  expect(taken).toEqual(sent.map(({ i }) => i));
});

test('a taker that never takes stops the sender', async () => {
  let written = 0;
  let stopped = false;
  const { client } = await connected((_request, response) => {
    const more = (): void => {
      while (!response.destroyed) {
        written++;
        if (!response.write(frame(enveloped({ fill: 'x'.repeat(60_000) })))) {
          stopped = true;
          response.once('drain', more);
          return;
        }
        stopped = false;
      }
    };
    more();
  });
  const abort = new AbortController();
  const never = new Promise<void>(() => {});
  const call = client.stream('x', '{}', () => never, { signal: abort.signal });
  const failure = failureOf(call);
  await vi.waitFor(
    async () => {
      const before = written;
      await sleep(100);
      expect(stopped && written === before).toBe(true);
    },
    { timeout: 60_000 },
  );
  // Socket buffers of both sides, not the endless answer.
  expect(written * 60_000).toBeLessThan(50 << 20);
  abort.abort();
  await failure;
});

test('lines of older Dify versions are understood', async () => {
  const { client } = await connected((_request, response) => {
    response.write(`data: ${enveloped({ a: 1 })}\n\nevent: ping\n\n`);
    response.end(`${enveloped({ b: 2 })}`);
  });
  expect(await collect(client)).toEqual(['{"a":1}', '{"b":2}']);
});

test('an empty stream is no error', async () => {
  const { client } = await connected((_request, response) => response.end());
  expect(await collect(client)).toEqual([]);
});

test.each<[string, FakeAnswer, string]>([
  ['an error frame', (_q, r) => r.end(frame(enveloped(null, 'quota exceeded'))), 'request failed: quota exceeded'],
  ['no data', (_q, r) => r.end(frame('{"error":""}')), 'data is nil'],
  ['data of another type', (_q, r) => r.end(frame(enveloped([1]))), 'data is not an object'],
  [
    'a frame that is not JSON',
    (_q, r) => r.end(frame('{"data":{"a":},"error":""}')),
    'Dify sent something that is not',
  ],
  ['an empty frame', (_q, r) => r.end(frame('')), 'Dify sent something that is not JSON: (nothing)'],
  ['half a frame', (_q, r) => r.end(frame('{"data":{}}').subarray(0, 20)), 'unexpected EOF\nfailed to read data'],
  ['other bytes', (_q, r) => r.end('<html>'), 'magic number mismatch: 60'],
])('a stream with %s fails while it is read, after what came before', async (_name, answer, text) => {
  const { client } = await connected((request, response) => {
    if (!text.startsWith('magic')) response.write(frame(enveloped({ first: true })));
    answer(request, response);
  });
  const results: string[] = [];
  const call = client.stream('x', '{}', (data) => {
    results.push(data);
    return undefined;
  });
  expect(await failureOf(call)).toEqual({ text: expect.stringContaining(text), stage: 'read' });
  expect(results).toEqual(text.startsWith('magic') ? [] : ['{"first":true}']);
});

test('a connection that breaks in the middle of a stream fails it', async () => {
  const { client } = await connected((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write(frame(enveloped({ a: 1 })), () => response.destroy());
  });
  expect(await failureOf(collect(client))).toMatchObject({
    stage: 'read',
    text: expect.stringContaining('closed the connection in the middle of its answer'),
  });
});

test.each([
  [400, '{"code":"invalid_param","message":"no such model","status":400}', ''],
  [401, '{"message":"unauthorized"}', 'DIFY_INNER_API_KEY'],
  [404, '{"code":"not_found"}', 'DIFY_INNER_API_KEY'],
  [500, '<html>oops</html>', ''],
])('status %d fails the call with what Dify said', async (status, body, remedy) => {
  const { client } = await connected((_request, response) => {
    response.writeHead(status).end(body);
  });
  for (const call of [client.call('x', '{}'), collect(client)]) {
    const { text, stage } = await failureOf(call);
    expect(text).toContain(`request failed with status code: ${status} and respond with: ${body}`);
    expect(text).toContain(remedy);
    expect(stage).toBe('call');
  }
});

test('a refusal without end is cut', async () => {
  const { client } = await connected((_request, response) => {
    response.writeHead(500);
    const more = (): void => {
      while (response.write('x'.repeat(10_000)));
      response.once('drain', more);
    };
    more();
  });
  expect((await failureOf(client.call('x', '{}'))).text.length).toBeLessThan(20_000);
});

test('a redirect names the setting', async () => {
  const { client } = await connected((_request, response) => {
    response.writeHead(301, { location: 'https://dify.example/' }).end();
  });
  expect((await failureOf(client.call('x', '{}'))).text).toMatch(/https:\/\/dify\.example\/.*DIFY_INNER_API_URL/);
});

test.each<[string, FakeAnswer, string]>([
  ['an error', (_q, r) => r.end(enveloped(null, 'no')), 'request failed: no'],
  ['no data', json(null), 'data is nil'],
  ['something else', (_q, r) => r.end('<html>'), 'Dify sent something that is not JSON: <html>'],
  ['nothing', (_q, r) => r.end(), 'Dify sent something that is not JSON: (nothing)'],
  ['too much', json({ fill: 'x'.repeat(2 << 20) }), 'RESPONSE_MAX_BUFFER_SIZE'],
])('a call answered with %s fails', async (_name, answer, text) => {
  const { client } = await connected(answer);
  expect((await failureOf(client.call('x', '{}'))).text).toContain(text);
});

test('an unreachable Dify names the address and the setting', async () => {
  const fake = await startFakeDify(json({}));
  await fake[Symbol.asyncDispose]();
  const { text, stage } = await failureOf(clientOf(fake.url).call('x', '{}'));
  expect(stage).toBe('call');
  expect(text).toContain(fake.url);
  expect(text).toContain('ECONNREFUSED');
  expect(text).toContain('DIFY_INNER_API_URL');
  expect(text).not.toContain('inner-key');
});

test('a server that does not speak HTTP is named', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('SSH-2.0-OpenSSH\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { text } = await failureOf(clientOf(`http://127.0.0.1:${port}`).call('x', '{}'));
  server.close();
  expect(text).toMatch(/does not speak HTTP.*DIFY_INNER_API_URL/);
});

test('silence before and within an answer ends the call; progress keeps it alive', async () => {
  // Far above the pauses between what keeps it alive, and below their sum.
  const { fake, client } = await connected(() => undefined, { readTimeoutMs: 1500 });
  const setting = expect.stringContaining('DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT');
  expect(await failureOf(client.call('x', '{}'))).toEqual({ stage: 'call', text: setting });

  fake.answer = (_request, response) => void response.write(frame(enveloped({ a: 1 })));
  expect(await failureOf(collect(client))).toEqual({ stage: 'read', text: setting });

  fake.answer = async (_request, response) => {
    for (let i = 0; i < 8; i++) {
      response.write(frame(enveloped({ i })));
      await sleep(250);
    }
    response.end();
  };
  expect(await collect(client)).toHaveLength(8);
});

test('a slow taker does not count as silence of Dify', async () => {
  const { client } = await connected(frames({ a: 1 }, { b: 2 }), { readTimeoutMs: 1000 });
  let taken = 0;
  await client.stream('x', '{}', async () => {
    await sleep(1200);
    taken++;
  });
  expect(taken).toBe(2);
});

test('a Dify that takes nothing of a large request is given up', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = clientOf(`http://127.0.0.1:${port}`, { writeTimeoutMs: 200 });
  const { text } = await failureOf(client.call('x', JSON.stringify({ fill: 'x'.repeat(30 << 20) })));
  server.close();
  expect(text).toContain('DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT');
});

test('cancelling ends the call at once and closes the connection', async () => {
  const { fake, client } = await connected((_request, response) => {
    response.write(frame(enveloped({ a: 1 })));
  });
  const abort = new AbortController();
  const call = client.stream(
    'x',
    '{}',
    () => {
      abort.abort();
      return undefined;
    },
    { signal: abort.signal },
  );
  expect((await failureOf(call)).text).toBe('the session has ended');
  await vi.waitFor(() => expect(fake.abandoned).toHaveLength(1), { timeout: 60_000 });
});

test('cancelling before the answer begins, and before the call, sends or keeps nothing', async () => {
  const { fake, client } = await connected(() => undefined);
  const abort = new AbortController();
  const failure = failureOf(client.call('x', '{}', { signal: abort.signal }));
  await vi.waitFor(() => expect(fake.requests).toHaveLength(1), { timeout: 60_000 });
  abort.abort();
  expect((await failure).text).toBe('the session has ended');
  await vi.waitFor(() => expect(fake.abandoned).toHaveLength(1), { timeout: 60_000 });
  await failureOf(client.call('x', '{}', { signal: abort.signal }));
  expect(fake.requests).toHaveLength(1);
});

test('a call cancelled while it connects is not sent', async () => {
  const { fake, client } = await connected(json({}));
  const abort = new AbortController();
  const failure = failureOf(client.call('x', '{}', { signal: abort.signal }));
  abort.abort();
  await failure;
  await client.call('second', '{}');
  expect(fake.requests.map(({ path }) => path)).toEqual(['/inner/api/second']);
});

test('what the taker throws comes back as it is', async () => {
  const { fake, client } = await connected((_request, response) => {
    response.write(frame(enveloped({ a: 1 })));
  });
  const gone = new Error('the plugin is gone');
  const call = client.stream('x', '{}', () => {
    throw gone;
  });
  await expect(call).rejects.toBe(gone);
  await vi.waitFor(() => expect(fake.abandoned).toHaveLength(1), { timeout: 60_000 });
});

test('closing ends running calls', async () => {
  const { fake, client } = await connected(() => undefined);
  const failure = failureOf(client.call('x', '{}'));
  await vi.waitFor(() => expect(fake.requests).toHaveLength(1), { timeout: 60_000 });
  await client.close();
  expect((await failure).stage).toBe('call');
});

test.each(['', 'api:5001', 'ftp://dify'])('the address %j is refused at once', (url) => {
  expect(() => new DifyClient({ url, key: 'k', readTimeoutMs: 1, writeTimeoutMs: 1, maxResponseBytes: 1 })).toThrow(
    'DIFY_INNER_API_URL is not an address',
  );
});
