/** Plugins that misbehave while they run: each harms its own sessions only, and everybody is told what happened. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, OTHER, TestDaemon } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const MIB = 1024 * 1024;
const KEY = 'a server key that plugins must not see';
const INNER_KEY = 'an inner key that plugins must not see';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({
    innerApi: { url: 'http://127.0.0.1:9', key: INNER_KEY },
    serverKey: KEY,
  });
  await daemon.install(rudePackage('rude'));
  await daemon.install(rudePackage('quiet'), OTHER);
}, 240_000);

afterEach(async () => {
  // Whatever a test did: the plugin of the other tenant answers, and nothing is left over.
  expect((await daemon.call('quiet', 'echo', { tenant: OTHER, parameters: { text: 'well' } })).texts).toEqual(['well']);
  await daemon.expectIdle();
});

afterAll(async () => {
  await daemon?.close();
});

const seen = async (of: string): Promise<readonly (readonly [event: string, session: string, data: unknown])[]> =>
  JSON.parse((await daemon.call('rude', 'seen', { parameters: { of } })).texts[0] ?? '[]');

test('garbage on stdout and stderr is the plugin’s log and nothing else', async () => {
  const answer = await daemon.call('rude', 'garbage');
  expect(answer.texts).toEqual(['after the garbage']);
  expect(answer.complete).toBe(true);
  await daemon.logged('print() of a careless author');
  await daemon.logged('and to stderr: ü');
});

test('two objects on one line are two messages', async () => {
  const answer = await daemon.call('rude', 'twins');
  expect(answer.texts).toEqual(['one', 'two', 'three']);
  expect(answer.complete).toBe(true);
});

test('a line of 63 MB arrives; one above the limit fails its session alone, with limit and setting', async () => {
  const other = await daemon.open('rude', 'hang');
  await other.text(0);
  const large = await daemon.call('rude', 'long', { parameters: { bytes: 63 * MIB } });
  expect(large.texts[0]?.length).toBe(63 * MIB);
  const answer = await daemon.call('rude', 'long', { parameters: { bytes: 64 * MIB } });
  expect(answer.failure).toMatchObject({
    code: -500,
    type: 'PluginInvokeError',
    inner: {
      error_type: 'PluginMessageTooLargeError',
      args: { limit_bytes: 64 * MIB, setting: 'PLUGIN_MAX_MESSAGE_BYTES' },
    },
  });
  expect(answer.failure.inner?.message).toContain('raise PLUGIN_MAX_MESSAGE_BYTES');
  expect((await daemon.call('rude', 'echo', { parameters: { text: 'on' } })).texts).toEqual(['on']);
  expect(other.complete).toBe(false);
  other.leave();
});

test('a reader that stalls gets everything in the end, and nobody else waits for it', async () => {
  const before = rssBytes();
  const stalled = await daemon.open('rude', 'flood', { paused: true, parameters: { bytes: 40 * MIB } });
  // Answered by the plugin's one thread: it is after the flood, so the flood has been taken off its hands.
  for (let n = 0; n < 20; n++) {
    expect((await daemon.call('rude', 'echo', { parameters: { text: `${n}` } })).texts).toEqual([`${n}`]);
  }
  await eventually('the plugin has written everything', async () => {
    const open = await daemon.metric('active_sessions_total');
    return open === 0 || undefined;
  });
  expect(rssBytes() - before).toBeLessThan(150 * MIB);
  stalled.read();
  await stalled.done;
  expect(stalled.complete).toBe(true);
  const { texts } = stalled;
  expect(texts.at(-1)).toBe('last');
  expect(texts.length).toBeGreaterThan((35 * MIB) / 1200);
});

test('a reader that stalls for too long is told the limit and its setting, after all that was kept for it', async () => {
  const stalled = await daemon.open('rude', 'flood', { paused: true, parameters: { bytes: 100 * MIB } });
  await eventually(
    'the session has failed',
    async () => (await daemon.metric('active_sessions_total')) === 0 || undefined,
  );
  expect((await daemon.call('rude', 'echo', { parameters: { text: 'on' } })).texts).toEqual(['on']);
  stalled.read();
  await stalled.done;
  expect(stalled.complete).toBe(true);
  expect(stalled.failure).toMatchObject({
    code: -500,
    args: { limit_bytes: 64 * MIB, setting: 'SESSION_BUFFER_BYTES' },
  });
  expect(stalled.failure.message).toContain('raise SESSION_BUFFER_BYTES');
  expect(stalled.received.length).toBeGreaterThan(64 * MIB);
});

test('a plugin killed in the middle: its sessions fail at once with signal and last words, the next call is answered', async () => {
  const others = await Promise.all([daemon.open('rude', 'hang'), daemon.open('rude', 'hang')]);
  for (const other of others) await other.text(0);
  for (let round = 0; round < 3; round++) {
    const answer = await daemon.call('rude', 'kill');
    expect(answer.texts).toEqual(['before']);
    expect(answer.failure).toMatchObject({
      code: -500,
      type: 'PluginInvokeError',
      inner: { error_type: 'ConnectionClosedError', args: { signal: 'SIGKILL', exit_code: null } },
    });
    expect(answer.failure.inner?.message).toContain('these are my last words');
    expect((await daemon.call('rude', 'echo', { parameters: { text: 'again' } })).texts).toEqual(['again']);
  }
  for (const other of others) {
    await other.done;
    expect(other.failure.inner?.error_type).toBe('ConnectionClosedError');
  }
});

test('answers for sessions that are not its own go nowhere', async () => {
  const victim = await daemon.open('quiet', 'drip', { tenant: OTHER, parameters: { count: 5, seconds: 0.1 } });
  const id = await victim.text(0);
  expect((await daemon.call('rude', 'forge', { parameters: { of: id } })).texts).toEqual(['tried']);
  expect((await daemon.call('rude', 'forge', { parameters: { of: 'no session at all' } })).texts).toEqual(['tried']);
  await victim.done;
  expect(victim.texts).toEqual([id, '0', '1', '2', '3', '4']);
  expect(victim.complete).toBe(true);
});

test('a call back for a session that is over is answered at once', async () => {
  const id = (await daemon.call('rude', 'late')).texts[0] ?? '';
  const events = await eventually('both events came', async () => {
    const all = (await seen(id)).filter(([event]) => event === 'backwards_response');
    return all.length >= 2 ? all : undefined;
  });
  expect(events.map(([, , data]) => data)).toMatchObject([
    { backwards_request_id: 'late-1', event: 'error', message: expect.stringContaining('session not found') },
    { backwards_request_id: 'late-1', event: 'end' },
  ]);
});

test('a client that leaves: the plugin is told, the session is gone, and it counts as such', async () => {
  const labels = { plugin_id: 'tests/rude', status: 'client_disconnect' };
  const before = await daemon.metric('plugin_invocations_total', labels);
  const stream = await daemon.open('rude', 'hang');
  const id = await stream.text(0);
  stream.leave();
  await eventually(
    'the plugin gets a cancel event',
    async () => (await seen(id)).some(([event]) => event === 'cancel') || undefined,
  );
  expect(await daemon.metric('plugin_invocations_total', labels)).toBe(before + 1);
});

test('plugins see nothing that the daemon keeps to itself', async () => {
  const environment: Record<string, string> = JSON.parse((await daemon.call('rude', 'environ')).texts[0] ?? '{}');
  expect(environment.INSTALL_METHOD).toBe('local');
  const values = Object.values(environment).join('\n');
  for (const secret of [KEY, INNER_KEY, daemon.process.url, daemon.process.dataDirectory]) {
    expect(values).not.toContain(secret);
  }
  const forbidden = /KEY|SECRET|PASSWORD|TOKEN|^DB_|^REDIS_|^S3_|^SERVER_|^DIFY_|^DATA_DIR$|^PLUGIN_/;
  expect(Object.keys(environment).filter((name) => forbidden.test(name))).toEqual([]);
});

test('1,100 slow streams leave room for a call, and all of them end well', async () => {
  // Slower ones where opening so many takes longer than the quicker ones last.
  for (const seconds of [2, 8, 32]) {
    const streams = await Promise.all(
      Array.from({ length: 1100 }, () => daemon.open('rude', 'drip', { parameters: { count: 4, seconds } })),
    );
    expect(streams.every((stream) => stream.status === 200)).toBe(true);
    expect((await daemon.call('rude', 'echo', { parameters: { text: 'quick' } })).texts).toEqual(['quick']);
    const allWereOpen = !streams.some((stream) => stream.complete);
    await Promise.all(streams.map((stream) => stream.done));
    expect(streams.filter((stream) => !stream.complete || stream.texts.at(-1) !== '3')).toEqual([]);
    if (allWereOpen) return;
  }
  expect.unreachable('some streams ended before the call was answered');
});

test('a flood of its log is cut off, and said', async () => {
  // Each call of the tool prints a handful of lines.
  await Promise.all(Array.from({ length: 60 }, () => daemon.call('rude', 'garbage')));
  await sleep(1100);
  await daemon.call('rude', 'garbage');
  await daemon.logged('plugin wrote more than is logged');
});

function rssBytes(): number {
  const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
