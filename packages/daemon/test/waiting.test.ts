/** Calls that wait: for a plugin that starts, for one that says nothing, for the daemon to stop. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, failureOf, OTHER, TestDaemon, temporaryDirectory, textOf, toolBody } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const MIB = 1024 * 1024;
const TOTAL_SECONDS = 6;
const IDLE_SECONDS = 2;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({
    settings: {
      // These tests talk to their plugins through files and kill them by their numbers.
      PLUGIN_ISOLATION: 'none',
      PLUGIN_MAX_EXECUTION_TIMEOUT: String(TOTAL_SECONDS),
      PLUGIN_IDLE_TIMEOUT: String(IDLE_SECONDS),
    },
  });
  await daemon.install(rudePackage('rude'));
  await daemon.install(rudePackage('quiet'), OTHER);
}, 240_000);

afterEach(async () => {
  expect((await daemon.call('quiet', 'echo', { tenant: OTHER, parameters: { text: 'well' } })).texts).toEqual(['well']);
  await daemon.expectIdle();
});

afterAll(async () => {
  await daemon?.close();
});

const timeouts = () => daemon.metric('plugin_invocations_total', { status: 'timeout' });
const cancelled = async (id: string): Promise<boolean> => {
  const events: string[][] = JSON.parse(
    (await daemon.call('rude', 'seen', { parameters: { of: id } })).texts[0] ?? '[]',
  );
  return events.some(([event]) => event === 'cancel');
};

test('a plugin that falls silent: the session ends with limit and setting, and the plugin is told', async () => {
  const before = await timeouts();
  const answer = await daemon.call('rude', 'hang');
  expect(answer.failure).toMatchObject({
    code: -500,
    type: 'PluginDaemonInternalServerError',
    args: { limit_seconds: IDLE_SECONDS, setting: 'PLUGIN_IDLE_TIMEOUT' },
  });
  expect(answer.failure.message).toContain('killed by timeout');
  expect(answer.failure.message).toContain('Raise PLUGIN_IDLE_TIMEOUT');
  expect(await cancelled(answer.texts[0] ?? '')).toBe(true);
  expect(await timeouts()).toBe(before + 1);
});

test('a plugin that goes on for too long is stopped at the total limit, with what it said until then', async () => {
  const before = await timeouts();
  const answer = await daemon.call('rude', 'drip', { parameters: { count: 100, seconds: 0.5 } });
  expect(answer.failure).toMatchObject({
    code: -500,
    type: 'PluginDaemonInternalServerError',
    message: 'killed by timeout',
  });
  expect(answer.texts.length).toBeGreaterThan(5);
  expect(await cancelled(answer.texts[0] ?? '')).toBe(true);
  expect(await timeouts()).toBe(before + 1);
});

test('a plugin that ignores its input: large requests end like small ones, others are not touched', async () => {
  const identifier = await daemon.install(rudePackage('deaf', { start: 'deaf' }));
  const calls = await Promise.all(
    [1, 8 * MIB, 8 * MIB, 8 * MIB].map((size) =>
      daemon.call('deaf', 'echo', { parameters: { text: 'x'.repeat(size) } }),
    ),
  );
  for (const { failure } of calls) expect(failure.args).toMatchObject({ setting: 'PLUGIN_IDLE_TIMEOUT' });
  const [installed] = (await daemon.client().list()).filter((one) => one.plugin_unique_identifier === identifier);
  const running = daemon.processes().length;
  await daemon.client().uninstall(installed?.id ?? '');
  await eventually('its process ends', () => daemon.processes().length < running || undefined);
});

test('a request that arrives while a plugin starts is held, then answered; so is one whose client leaves, without harm', async () => {
  using directory = temporaryDirectory();
  const gate = join(directory.path, 'gate');
  writeFileSync(gate, '');
  await daemon.install(rudePackage('gated', { start: 'gate', file: gate }));
  rmSync(gate);
  const first = (await daemon.call('gated', 'pid')).texts[0];
  process.kill(Number(first), 'SIGKILL');
  await eventually('the next process starts', () =>
    daemon.processes().length === 3 && !existsSync(`/proc/${first}`) ? true : undefined,
  );
  const held = Array.from({ length: 5 }, () => daemon.open('gated', 'pid'));
  const path = '/plugin/00000000-0000-4000-8000-000000000001/dispatch/tool/invoke';
  const left = daemon.request('POST', path, {
    headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'tests/gated' },
    body: toolBody('gated', 'echo', { text: 'nobody waits for me' }),
    signal: AbortSignal.timeout(500),
  });
  await expect(left).rejects.toThrow(/abort/i);
  let answered = false;
  void Promise.race(held).then(() => {
    answered = true;
  });
  await sleep(300);
  expect(answered).toBe(false);
  writeFileSync(gate, '');
  const answers = await Promise.all(held);
  for (const answer of answers) await answer.done;
  const pids = new Set(answers.flatMap((answer) => answer.texts));
  expect(pids.size).toBe(1);
  expect(pids.has(first ?? '')).toBe(false);
});

test('a plugin that cannot start again says why to each caller, while it is tried again', async () => {
  using directory = temporaryDirectory();
  const fuse = join(directory.path, 'fuse');
  const main = `import os\nif os.path.exists(${JSON.stringify(fuse)}):\n    raise RuntimeError('the fuse has blown')\nimport rude\n`;
  const rude = readFileSync(new URL('./plugins/rude.py', import.meta.url));
  await daemon.install(rudePackage('fused', {}, { 'main.py': main, 'rude.py': rude }));
  const pid = (await daemon.call('fused', 'pid')).texts[0];
  writeFileSync(fuse, '');
  process.kill(Number(pid), 'SIGKILL');
  await eventually('it is gone', () => !existsSync(`/proc/${pid}`) || undefined);
  for (let n = 0; n < 3; n++) {
    const response = await daemon.request('POST', '/plugin/00000000-0000-4000-8000-000000000001/dispatch/tool/invoke', {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'tests/fused' },
      body: toolBody('fused', 'pid'),
    });
    const failure = failureOf(await textOf(response));
    // The words that Dify takes as "try again".
    expect(failure.message).toContain('plugin runtime not found');
    expect(failure.message).toContain('the fuse has blown');
    expect(failure.type).toBe('PluginDaemonInternalServerError');
  }
  rmSync(fuse);
  const again = await eventually('it is started again', async () => {
    const answer = await daemon.call('fused', 'echo', { parameters: { text: 'mended' } });
    return answer.texts[0];
  });
  expect(again).toBe('mended');
});

test('a daemon that is told to stop lets open streams finish and takes no more', async () => {
  await using stopping = await TestDaemon.start();
  await stopping.install(rudePackage('rude'));
  const streams = await Promise.all(
    Array.from({ length: 3 }, () => stopping.open('rude', 'drip', { parameters: { count: 15, seconds: 0.1 } })),
  );
  for (const stream of streams) await stream.text(1);
  const stopped = stopping.process.stop('SIGTERM');
  await eventually('it takes no more', () =>
    fetch(`${stopping.process.url}/health/check`).then(
      () => undefined,
      () => true,
    ),
  );
  await stopped;
  for (const stream of streams) {
    expect(stream.complete).toBe(true);
    expect(stream.texts.at(-1)).toBe('14');
  }
  expect(stopping.processes()).toEqual([]);
  expect(stopping.log).toContain('stopping: open calls may finish');
  await stopping.process.start();
  expect((await stopping.call('rude', 'echo', { parameters: { text: 'back' } })).texts).toEqual(['back']);
});

test('a connection that a client keeps open does not hold up the end', async () => {
  await using stopping = await TestDaemon.start();
  const agent = new Agent({ keepAlive: true });
  const url = `${stopping.process.url}/health/check`;
  const status = await new Promise((resolve) =>
    get(url, { agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }),
  );
  expect(status).toBe(200);
  expect(Object.keys(agent.freeSockets).length).toBe(1);
  await stopping.process.stop('SIGTERM');
  agent.destroy();
});

test('a second signal ends the waiting: streams end with an error, plugins with the daemon', async () => {
  await using stopping = await TestDaemon.start();
  await stopping.install(rudePackage('rude'));
  const stream = await stopping.open('rude', 'hang');
  await stream.text(0);
  const { pid } = stopping.process;
  process.kill(pid, 'SIGTERM');
  await stopping.logged('stopping: open calls may finish');
  expect(stream.complete).toBe(false);
  await stopping.process.stop('SIGTERM');
  await stream.done;
  expect(stream.failure.message).toContain('the daemon is stopping');
  expect(stream.complete).toBe(true);
  expect(stopping.processes()).toEqual([]);
});
