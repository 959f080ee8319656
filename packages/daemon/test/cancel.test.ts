/** A call that nobody waits for ends inside its plugin, on the real SDK, with what it has opened, and no other call with it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventStream, eventually, TestDaemon } from './harness.ts';
import { REPORT, reportRequest, reportToolPackage, toolSource } from './report-tool.ts';

let daemon: TestDaemon;
/** Answers for ever, a byte at a time. */
let endless: Server;
let open = 0;
let opened = 0;

beforeAll(async () => {
  endless = createServer((request, response) => {
    open++;
    opened++;
    const timer = setInterval(() => response.write('x'), 5);
    request.socket.once('close', () => {
      clearInterval(timer);
      open--;
    });
  });
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
  daemon = await TestDaemon.start({ settings: { PLUGIN_CANCEL_GRACE_SECONDS: '1', LOG_LEVEL: 'debug' } });
  await daemon.install(reportToolPackage(toolSource('busy_report.py')));
}, 300_000);

afterAll(async () => {
  await daemon?.close();
  endless?.close();
  endless?.closeAllConnections();
});

async function begin(how: string): Promise<EventStream> {
  // The address of a TCP server is an object.
  const { port } = endless.address() as AddressInfo;
  const response = await daemon.request('POST', REPORT, reportRequest(`${how} http://127.0.0.1:${port}/`));
  const stream = new EventStream(response, false);
  await stream.text(0);
  return stream;
}

const WAYS = ['urllib', 'requests', 'httpx', 'pool', 'shared_pool', 'thread', 'asyncio', 'catching_exceptions'];

test.each(WAYS)('the client leaves, and the connections close that the plugin has opened by %s', async (how) => {
  const other = await begin('count');
  const before = opened;
  const stream = await begin(how);
  const connections = how === 'pool' ? 2 : 1;
  await eventually('it is connected', () => opened === before + connections || undefined);
  expect(open).toBe(connections);
  stream.leave();
  await eventually('its connections are closed', () => open === 0 || undefined);
  const soFar = other.texts.length;
  await eventually('the other call goes on', () => other.texts.length > soFar + 3 || undefined);
  expect(other.complete).toBe(false);
  other.leave();
});

test('the other calls of the process answer to their end', async () => {
  const left = await begin('httpx');
  const stays = await begin('nothing');
  left.leave();
  await stays.done;
  expect(stays.texts).toEqual(['begun', 'done']);
  expect(await daemon.logged('a call was cancelled')).toBe(true);
});

test('a process whose code does not yield is replaced and ended', async () => {
  const before = daemon.processes().length;
  const stream = await begin('computing');
  stream.leave();
  expect(await daemon.logged('its code neither waits nor ends')).toBe(true);
  await eventually(
    'another process was started',
    async () => (await daemon.metric('plugin_starts_total')) >= 2 || undefined,
  );
  const next = await begin('nothing');
  await next.done;
  expect(next.texts).toEqual(['begun', 'done']);
  await eventually('the one that computes has ended', () => daemon.processes().length <= before || undefined);
});
