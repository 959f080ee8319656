import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, sessionError } from '@plugin-daemon/plugin-host/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureBody, SseResponse } from './sse-response.ts';

const MIB = 1024 * 1024;
let directory: string;
let server: Server;
let failures: DaemonError[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sse-'));
  failures = [];
  server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true, force: true });
});

/** One request: the answer as it is made and as it arrives (not read before `text`). */
async function exchange(options: { maxWaitingBytes?: number; spillDirectory?: string; memory?: ByteBudget } = {}) {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const made = new Promise<ServerResponse>((resolve) =>
    server.once('request', (_request, response) => resolve(response)),
  );
  const arrived = new Promise<IncomingMessage>((resolve, reject) => {
    get({ port: address.port, host: '127.0.0.1', agent: false }, resolve).on('error', reject);
  });
  const response = await made;
  const sse: SseResponse = new SseResponse(response, {
    maxWaitingBytes: options.maxWaitingBytes ?? 64 * MIB,
    memory: options.memory ?? new ByteBudget({ what: 'answers', total: 64 * MIB }),
    spillDirectory: options.spillDirectory ?? directory,
    // As a session does it: the error is the last thing the reader gets.
    onOverflow: (error) => {
      failures.push(error);
      if (failures.length === 1) sse.fail({ from: 'daemon', error });
    },
  });
  return { response, sse, arrived, text: async () => textOf(await arrived) };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part);
  return Buffer.concat(parts).toString();
}

const event = (json: string) => `data: {"code":0,"message":"success","data":${json}}\n\n`;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('nothing leaves before the first event; what came together leaves together', async () => {
  const { response, sse, text } = await exchange();
  await turn();
  expect(response.headersSent).toBe(false);
  sse.chunk('{"a":1}');
  expect(response.headersSent).toBe(false);
  sse.chunk('{"b":2}');
  sse.flush();
  expect(response.headersSent).toBe(true);
  sse.end();
  expect(await text()).toBe(event('{"a":1}') + event('{"b":2}'));
});

test('an answer without events is an empty stream', async () => {
  const { sse, arrived } = await exchange();
  sse.end();
  const message = await arrived;
  expect([message.statusCode, message.headers['content-type'], await textOf(message)]).toEqual([
    200,
    'text/event-stream',
    '',
  ]);
});

test('bytes-as-latin1 arrive as the bytes they stand for', async () => {
  const { sse, text } = await exchange();
  sse.chunk(Buffer.from('"ü 漢 😀"').toString('latin1'));
  sse.end();
  expect(await text()).toBe(event('"ü 漢 😀"'));
});

test('a failure is the last event, safe for readers that split at more than LF', async () => {
  const { sse, text } = await exchange();
  sse.chunk('1');
  sse.fail({ from: 'plugin', error: sessionError('ValueError', 'a\u2028b\u0085c ü', {}) });
  const all = await text();
  expect(all.startsWith(event('1'))).toBe(true);
  const last = all.slice(event('1').length);
  expect(last).not.toMatch(/[\u2028\u0085]/);
  const envelope = JSON.parse(last.replace(/^data: /, ''));
  const error = JSON.parse(JSON.parse(envelope.message).message);
  expect(error).toEqual({ args: {}, error_type: 'ValueError', message: 'a\u2028b\u0085c ü' });
});

test('a slow reader gets everything, in order, from memory and from the disk', async () => {
  const { sse, text } = await exchange();
  const parts: string[] = [];
  for (let n = 0; n < 40; n++) {
    const json = `"${n} ${'x'.repeat(MIB / 2)}"`;
    parts.push(event(json));
    sse.chunk(json);
    sse.flush();
  }
  sse.chunk('"the end"');
  sse.end();
  expect((await text()) === parts.join('') + event('"the end"')).toBe(true);
  expect(failures).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
});

test('a reader that is slow, then quick, then slow keeps the order', async () => {
  const { response, sse, arrived } = await exchange();
  const big = 'y'.repeat(MIB);
  let expected = '';
  const write = (label: string) => {
    const json = `"${label}${big}"`;
    expected += event(json);
    sse.chunk(json);
    sse.flush();
  };
  for (let n = 0; n < 12; n++) write(`a${n}`);
  const message = await arrived;
  let received = '';
  message.setEncoding('latin1');
  message.on('data', (part: string) => {
    received += part;
  });
  while (response.writableLength > 0 || received.length < expected.length) await turn();
  message.pause();
  for (let n = 0; n < 12; n++) write(`b${n}`);
  sse.end();
  message.resume();
  await new Promise((resolve) => message.once('end', resolve));
  expect(received === expected).toBe(true);
});

test('too much waiting: the reader gets what was kept, then limit and setting', async () => {
  const { sse, text } = await exchange({ maxWaitingBytes: 8 * MIB });
  for (let n = 0; n < 40; n++) {
    sse.chunk(`"${'z'.repeat(MIB)}"`);
    sse.flush();
  }
  expect(failures).toHaveLength(1);
  const events = (await text()).split('\n\n').filter(Boolean);
  expect(events.length).toBeGreaterThan(8);
  expect(events.length).toBeLessThan(30);
  const last = JSON.parse((events.at(-1) ?? '').replace(/^data: /, ''));
  expect(JSON.parse(last.message)).toMatchObject({
    error_type: 'PluginDaemonInternalServerError',
    args: { limit_bytes: 8 * MIB, setting: 'SESSION_BUFFER_BYTES' },
  });
});

test('waiting bytes that cannot be stored: the reader gets what there was, then the reason', async () => {
  const { sse, text } = await exchange({ spillDirectory: join(directory, 'missing') });
  for (let n = 0; n < 40; n++) {
    sse.chunk(`"${'z'.repeat(MIB)}"`);
    sse.flush();
  }
  expect(failures[0]?.message).toMatch(/cannot be stored: ENOENT/);
  const events = (await text()).split('\n\n').filter(Boolean);
  for (const each of events) JSON.parse(each.replace(/^data: /, ''));
  expect(events.at(-1)).toContain('cannot be stored');
});

test('a reader that leaves: nothing is kept for it and nothing throws', async () => {
  const { response, sse, arrived } = await exchange();
  for (let n = 0; n < 20; n++) {
    sse.chunk(`"${'z'.repeat(MIB)}"`);
    sse.flush();
  }
  const closed = new Promise((resolve) => response.once('close', resolve));
  (await arrived).destroy();
  await closed;
  sse.chunk('1');
  sse.flush();
  sse.fail({ from: 'daemon', error: new DaemonError('internal', 'late') });
  expect(failures).toEqual([]);
});

test('errors of the daemon keep their own type', () => {
  const body = JSON.parse(failureBody({ from: 'daemon', error: new DaemonError('runtime-unavailable', 'gone') }));
  expect(body.code).toBe(-500);
  expect(JSON.parse(body.message)).toEqual({
    message: 'gone',
    error_type: 'PluginDaemonInternalServerError',
    args: null,
  });
});

test('what one read makes of an answer is limited as well', async () => {
  const { sse, text } = await exchange({ maxWaitingBytes: 8 * MIB });
  const large = `"${'x'.repeat(5 * MIB)}"`;
  for (let i = 0; i < 40 && failures.length === 0; i++) sse.chunk(large);
  expect(failures.map(({ message }) => message)).toEqual([expect.stringMatching(/^the client reads too slowly/)]);
  expect((await text()).length).toBeLessThan(30 * MIB);
});

test('what all readers together leave waiting in memory is bounded; the rest waits on the disk, and all of it arrives', async () => {
  const memory = new ByteBudget({ what: 'answers', total: 2 * MIB });
  const json = `"${'x'.repeat(100_000)}"`;
  const slow = await exchange({ memory });
  for (let n = 0; n < 200; n++) {
    slow.sse.chunk(json);
    slow.sse.flush();
    expect(memory.used).toBeLessThanOrEqual(2 * MIB);
  }
  expect(slow.response.writableLength).toBeLessThan(4 * MIB);
  expect(memory.used).toBeGreaterThan(MIB);
  slow.sse.end();
  expect(await slow.text()).toBe(event(json).repeat(200));
  expect(failures).toEqual([]);
  await expect.poll(() => memory.used).toBe(0);
});

test('a reader that leaves gives back its room', async () => {
  const memory = new ByteBudget({ what: 'answers', total: 64 * MIB });
  const { sse, arrived } = await exchange({ memory });
  for (let n = 0; n < 20; n++) {
    sse.chunk(`"${'x'.repeat(100_000)}"`);
    sse.flush();
  }
  expect(memory.used).toBeGreaterThan(0);
  (await arrived).destroy();
  await expect.poll(() => memory.used).toBe(0);
});
