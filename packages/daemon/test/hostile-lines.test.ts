/** Whatever plugins say, over a pipe or the debugging port: the daemon lives, and answers everybody else. */

import { type OddLine, oddLines, oddValues } from '@plugin-daemon/plugin-host/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { icon, line, registration, TestPlugin } from '../src/runtimes/debugging/test-plugin.ts';
import { eventually, ONE, OTHER, TestDaemon, toolBody } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

/** Every how many of the lines of the table; each value and each place comes along. */
const STEP = 3;
const picked = (offset: number): readonly OddLine[] => [...oddLines()].filter((_, i) => i % STEP === offset);

let daemon: TestDaemon;
let key: string;
let port: number;
let pid: number;

beforeAll(async () => {
  daemon = await TestDaemon.start({ settings: { LOG_LEVEL: 'ERROR' } });
  await daemon.install(rudePackage('rude'));
  await daemon.install(rudePackage('quiet'), OTHER);
  ({ key } = await daemon.client(ONE).call<{ key: string }>('POST', '/debugging/key'));
  port = daemon.process.debuggingPort;
  pid = daemon.process.pid;
}, 240_000);

afterAll(async () => {
  await daemon?.close();
});

/** The plugin of another tenant is served by the same process, and nothing escaped. */
async function expectWell(): Promise<void> {
  const answer = await daemon.call('quiet', 'echo', { tenant: OTHER, parameters: { text: 'well' } });
  expect(answer.texts).toEqual(['well']);
  expect(daemon.process.pid).toBe(pid);
}

beforeEach(async () => {
  expect(await daemon.metric('escaped_errors_total')).toBe(0);
});

test('over a pipe: each session ends with an error or goes on', async () => {
  const lines = picked(0);
  let failed = 0;
  for (const [i, { name, text }] of lines.entries()) {
    const stream = await daemon.call('rude', 'say', { parameters: { line: text } });
    expect([name, stream.complete]).toEqual([name, true]);
    const last = stream.events.at(-1);
    if (last !== undefined && last.code !== 0) {
      failed++;
      expect([name, stream.failure.type]).toEqual([name, 'PluginInvokeError']);
    }
    if (i % 10 === 0) await expectWell();
  }
  await expectWell();
  await daemon.expectIdle();
  expect(await daemon.metric('escaped_errors_total')).toBe(0);
  expect(daemon.log).not.toContain('could not be dealt with');
  // Both happen: otherwise the lines did not reach their places.
  expect(failed).toBeGreaterThan(lines.length / 10);
  expect(failed).toBeLessThan(lines.length);
}, 240_000);

test('over a debugging connection', async () => {
  const plugin = await TestPlugin.register(port, key);
  plugin.socket.setNoDelay(true);
  const call = () =>
    daemon.request('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'acme/search' },
      body: toolBody('search', 'echo'),
    });
  await eventually('the plugin is connected', async () => {
    const listed = JSON.stringify(await daemon.client(ONE).list());
    return listed.includes('acme/search') || undefined;
  });
  for (const { name, text } of picked(1)) {
    const response = call();
    // Answers to what earlier lines asked for come first.
    let request = await plugin.hear();
    while (request.event !== 'request') request = await plugin.hear();
    const session = String(request.session_id);
    plugin.send(`${text.replaceAll('%', session)}\n`);
    plugin.send(`{"event":"session","session_id":"${session}","data":{"type":"end","data":{}}}\n`);
    const answer = await response;
    answer.resume();
    expect([name, answer.statusCode]).toEqual([name, 200]);
  }
  await expectWell();
  plugin.leave();
  expect(await daemon.metric('escaped_errors_total')).toBe(0);
}, 240_000);

test('in a registration: odd declarations are refused or taken, and the next plugin is let in', async () => {
  const whole = registration();
  const places: readonly ((value: string) => string)[] = [
    (value) => `{"type":"manifest_declaration","data":${value}}\n`,
    (value) => `{"type":"tool_declaration","data":${value}}\n`,
    (value) => `{"type":"model_declaration","data":[${value}]}\n`,
    (value) =>
      `{"type":"model_declaration","data":[{"provider":${value},"label":${value},"models":[${value}],"supported_model_types":${value},"configurate_methods":${value}}]}\n`,
    (value) =>
      `{"type":"tool_declaration","data":[{"identity":{"author":"a","name":"b","label":${value},"icon":${value}},"credentials_schema":${value},"tools":[{"parameters":[${value}]}]}]}\n`,
    (value) => `{"type":"asset_chunk","data":{"filename":${value},"data":${value}}}\n`,
    (value) => `{"type":${value},"data":${value}}\n`,
    (value) => `${value}\n`,
  ];
  for (const value of oddValues.values()) {
    await Promise.all(
      places.map(async (place) => {
        const plugin = await TestPlugin.connect(port);
        plugin.send(line('handshake', { key }), place(value));
        plugin.send(...whole.slice(1).map(([type, data]) => line(type, data)));
        await new Promise((resolve) => setTimeout(resolve, 5));
        plugin.leave();
        await plugin.closed;
      }),
    );
  }
  await expectWell();
  const plugin = await TestPlugin.register(port, key, { tools: [] });
  plugin.send(line('asset_chunk', icon));
  expect(await plugin.closed).not.toBe('');
  expect(await daemon.metric('escaped_errors_total')).toBe(0);
}, 240_000);

test('in a body: what is nested too deeply is refused, everything else is answered', async () => {
  for (const value of oddValues.values()) {
    const body = `{"user_id":${value || 'null'},"context":${value || 'null'},"data":{"provider":"rude","tool":"echo","tool_parameters":{"text":${value || 'null'}},"credentials":{}}}`;
    const answer = await daemon.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'tests/rude' },
      body: body.length > 1_000_000 ? '[]' : body,
    });
    expect(answer.status).toBeGreaterThanOrEqual(200);
    for (const path of ['management/install/identifiers', 'management/tools/check_existence', 'endpoint/setup']) {
      const other = await daemon.answer('POST', `/plugin/${ONE}/${path}`, {
        headers: { 'Content-Type': 'application/json' },
        body: `{"plugin_unique_identifiers":${value || '['},"metas":${value},"provider_ids":[${value}],"settings":${value}}`,
      });
      expect(other.status).toBeGreaterThanOrEqual(200);
    }
  }
  const deep = await daemon.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
    headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'tests/rude' },
    body: `{"data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
  });
  expect(deep.status).toBe(400);
  expect(deep.text).toContain('nested deeper than 1000 levels');
  await expectWell();
  expect(await daemon.metric('escaped_errors_total')).toBe(0);
}, 240_000);
