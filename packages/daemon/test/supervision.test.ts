/** Processes of plugins that come with the load and go with it, under a whole daemon. */
import { fileURLToPath } from 'node:url';
import { folderPackage } from '@plugin-daemon/bench';
import { afterEach, expect, test } from 'vitest';
import { eventually, failureOf, ONE, OTHER, TestDaemon, textOf, toolBody } from './harness.ts';
import { AUTHOR, rudePackage } from './plugins/package.ts';

let daemon: TestDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function start(settings: Record<string, string>): Promise<TestDaemon> {
  daemon = await TestDaemon.start({ settings });
  return daemon;
}

/** Keeps the processor of its process busy, and tells which one that was. */
const spin = (seconds: number) => ({
  code: `import time, os
until = time.process_time() + ${seconds}
while time.process_time() < until: pass
result = open("/proc/self/stat").read().split()[21] + os.readlink("/proc/self/ns/pid")`,
});

const count = (values: readonly unknown[]): readonly number[] =>
  [...new Set(values)].map((one) => values.filter((value) => value === one).length).toSorted();

test('eight calls that compute are shared by two processes; when they are over one is enough', async () => {
  const running = await start({ PLUGIN_INSTANCES_MAX: '2' });
  await running.install(rudePackage('computing'));
  const calls = Array.from({ length: 8 }, () => running.call('computing', 'run', { parameters: spin(0.3) }));
  const answers = (await Promise.all(calls)).map((one) => one.texts[0]);
  expect(count(answers)).toEqual([4, 4]);
  const labels = { plugin_id: `${AUTHOR}/computing` };
  await eventually('two are shown', async () => (await running.metric('plugin_instances', labels)) === 2 || undefined);
}, 240_000);

test('a plugin that nobody calls sleeps; a call wakes it and goes through; the list of plugins does not change', async () => {
  const running = await start({ PLUGIN_IDLE_STOP_SECONDS: '2' });
  const identifier = await running.install(rudePackage('sleeper'));
  const before = running.processes().length;
  expect(before).toBeGreaterThan(0);
  const life = (await running.call('sleeper', 'life')).texts[0];
  const listed = await running.client().list();
  await eventually('it sleeps', () => running.processes().length < before || undefined);
  await running.logged('plugin sleeps until it is called');
  expect(await running.metric('plugin_versions', { state: 'asleep' })).toBe(1);
  expect((await running.client().list()).map((one) => one.plugin_unique_identifier)).toEqual([identifier]);
  expect(await running.client().list()).toEqual(listed);
  expect((await running.answer('GET', '/readyz')).text).toContain('"status":"ok"');
  const woken = await Promise.all(Array.from({ length: 10 }, () => running.call('sleeper', 'life')));
  const lives = new Set(woken.map((one) => one.texts[0]));
  expect(lives.size).toBe(1);
  expect([...lives][0]).not.toBe(life);
}, 240_000);

test('after a restart the daemon serves at once, and what is called jumps the queue', async () => {
  const running = await start({ PLUGIN_LOCAL_LAUNCHING_CONCURRENT: '1' });
  const names = ['one', 'two', 'three', 'four'];
  for (const name of names)
    await running.install(rudePackage(name, name === 'four' ? {} : { start: 'slow', seconds: 3 }));
  await running.process.stop();
  await running.process.start();
  const answer = await running.call('four', 'echo', { parameters: { text: 'there' } });
  expect(answer.texts).toEqual(['there']);
  // The three others need three seconds each, one after the other.
  expect(running.processes().length).toBeLessThan(5);
  expect((await running.call('three', 'echo', { parameters: { text: 'there too' } })).texts).toEqual(['there too']);
}, 240_000);

test('more calls than a plugin takes are refused with 429 and Retry-After, and those that wait go through', async () => {
  const running = await start({ PLUGIN_INSTANCE_CALLS_MAX: '1', PLUGIN_QUEUE_MAX: '1' });
  await running.install(rudePackage('narrow'));
  const first = await running.open('narrow', 'drip', { parameters: { count: 20, seconds: 0.1 } });
  await first.text(0);
  const second = running.call('narrow', 'echo', { parameters: { text: 'after it' } });
  await eventually('a call waits', async () => (await running.metric('plugin_calls_waiting')) === 1 || undefined);
  const refused = await running.request('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
    headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/narrow` },
    body: toolBody('narrow', 'echo'),
  });
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
  const failure = failureOf(await textOf(refused));
  expect(failure).toMatchObject({ code: -500, type: 'PluginDaemonInternalServerError' });
  expect(failure.message).toMatch(/^no available node: .*PLUGIN_QUEUE_MAX/);
  expect(await running.metric('plugin_calls_refused_total', { reason: 'queue' })).toBe(1);
  expect((await second).texts).toEqual(['after it']);
  await first.done;
  expect(first.texts.at(-1)).toBe('19');
}, 240_000);

test('a process that is stuck is replaced, and finishes what it has', async () => {
  const running = await start({ PLUGIN_STUCK_SECONDS: '15' });
  await running.install(rudePackage('stuck'));
  const life = (await running.call('stuck', 'life')).texts[0];
  const long = running.call('stuck', 'run', { parameters: { code: 'import time; time.sleep(40); result = "done"' } });
  await running.logged('plugin instance is replaced');
  expect((await running.call('stuck', 'life')).texts[0]).not.toBe(life);
  expect((await long).texts).toEqual(['"done"']);
}, 240_000);

const EXAMPLE = fileURLToPath(new URL('../../../examples/tool-text-report/', import.meta.url));
const report = (text: string) => ({
  headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'examples/text_report' },
  body: JSON.stringify({
    user_id: 'user-1',
    data: {
      provider: 'text_report',
      tool: 'report',
      tool_parameters: { text },
      credentials: {},
      credential_type: 'api-key',
    },
  }),
});

test('a plugin that is killed while nobody calls it costs no call, however often, on the real SDK', async () => {
  const running = await start({});
  await running.install(folderPackage(EXAMPLE));
  // Files in pieces get a random name each time.
  const call = async () =>
    (await running.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, report('some words here'))).text.replace(
      /"id":"[0-9a-f]+"/g,
      '',
    );
  const expected = await call();
  expect(expected).toContain('3 words');
  for (let n = 0; n < 5; n++) {
    for (const pid of running.processes()) process.kill(pid, 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 5 }, call));
    expect(answers).toEqual(Array(5).fill(expected));
  }
}, 300_000);

test('one open call is ended by its id, and nothing else', async () => {
  const running = await start({});
  await running.install(rudePackage('cancelled'));
  const drip = () => running.open('cancelled', 'drip', { parameters: { count: 30, seconds: 0.1 } });
  const [ended, other] = await Promise.all([drip(), drip()]);
  const id = await ended.text(0);
  await other.text(0);
  expect(ended.response.headers['x-plugin-session-id']).toBe(id);
  const listed = (await running.answer('GET', `/plugin/${ONE}/sessions`)).text;
  expect(JSON.parse(listed).data).toContainEqual(
    expect.objectContaining({ id, action: 'invoke_tool', user_id: 'user-1' }),
  );
  const remove = (tenant: string) => running.answer('DELETE', `/plugin/${tenant}/sessions/${id}`);
  expect((await remove(OTHER)).status).toBe(404);
  expect(JSON.parse((await remove(ONE)).text)).toMatchObject({ code: 0, data: true });
  await ended.done;
  expect(ended.failure.message).toContain('cancelled on request');
  expect((await remove(ONE)).status).toBe(404);
  const seen = (await running.call('cancelled', 'seen', { parameters: { of: id } })).texts[0];
  expect(JSON.parse(seen ?? '').map(([event]: [string]) => event)).toEqual(['request', 'cancel']);
  await other.done;
  expect(other.texts.at(-1)).toBe('29');
}, 240_000);

test('what is said of one plugin counts for it alone, at once and after a restart', async () => {
  const running = await start({
    PLUGIN_IDLE_STOP_SECONDS: '1',
    ADMIN_API_ENABLED: 'true',
    ADMIN_API_KEY: 'admin-key-of-the-test',
  });
  for (const name of ['awake', 'asleep']) await running.install(rudePackage(name));
  const admin = { 'X-Admin-Api-Key': 'admin-key-of-the-test', 'Content-Type': 'application/json' };
  const states = async () => {
    const { text } = await running.answer('GET', '/admin/plugins/processes', { headers: admin });
    return JSON.parse(text)
      .data.map((one: { plugin_unique_identifier: string; state: string }) => [
        one.plugin_unique_identifier.split(/[/:]/)[1],
        one.state,
      ])
      .toSorted();
  };
  const settled = async () => {
    const found = await states();
    return JSON.stringify(found) === '[["asleep","asleep"],["awake","running"]]' || undefined;
  };
  const body = JSON.stringify({ plugin_id: `${AUTHOR}/awake`, min: 1, calls_per_minute: 1 });
  expect((await running.answer('PUT', '/admin/plugins/policies', { headers: admin, body })).status).toBe(200);
  await eventually('one is awake, the other sleeps', settled);
  await running.process.stop();
  await running.process.start();
  await eventually('it is the same after a restart', settled);
  const call = (name: string) =>
    running.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/${name}` },
      body: toolBody(name, 'echo'),
    });
  expect([await call('awake'), await call('awake')].map(({ status }) => status)).toEqual([200, 429]);
  expect([await call('asleep'), await call('asleep')].map(({ status }) => status)).toEqual([200, 200]);
}, 240_000);
