/** A call that nobody waits for ends inside its plugin, on the real SDK, with what it has opened, and no other call with it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EndlessServer, startEndlessServer } from './endless-server.ts';
import { EventStream, eventually, TestDaemon } from './harness.ts';
import { REPORT, reportRequest, reportToolPackage, toolSource } from './report-tool.ts';

let daemon: TestDaemon;
let endless: EndlessServer;

beforeAll(async () => {
  endless = await startEndlessServer();
  daemon = await TestDaemon.start({ settings: { PLUGIN_CANCEL_GRACE_SECONDS: '1', LOG_LEVEL: 'debug' } });
  await daemon.install(reportToolPackage(toolSource('busy_report.py')));
}, 300_000);

afterAll(async () => {
  await daemon?.close();
  endless?.[Symbol.dispose]();
});

async function begin(how: string): Promise<EventStream> {
  const response = await daemon.request('POST', REPORT, reportRequest(`${how} ${endless.url}`));
  const stream = new EventStream(response, false);
  await stream.text(0);
  return stream;
}

const WAYS = ['urllib', 'requests', 'httpx', 'pool', 'shared_pool', 'thread', 'asyncio', 'catching_exceptions'];

test.each(WAYS)('the client leaves, and the connections close that the plugin has opened by %s', async (how) => {
  const other = await begin('count');
  const before = endless.opened;
  const stream = await begin(how);
  const connections = how === 'pool' ? 2 : 1;
  await eventually('it is connected', () => endless.opened === before + connections || undefined);
  expect(endless.open).toBe(connections);
  stream.leave();
  await eventually('its connections are closed', () => endless.open === 0 || undefined);
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
