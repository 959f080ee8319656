/** Plugins that come and go while they are in use, and many things at once. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EventStream, eventually, ONE, OTHER, TestDaemon } from './harness.ts';
import { manifest, rudePackage, yaml } from './plugins/package.ts';

const MIB = 1024 * 1024;
let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start({
    settings: { SESSION_BUFFER_BYTES: String(8 * MIB), PLUGIN_MAX_MESSAGE_BYTES: String(MIB) },
  });
  await daemon.install(rudePackage('quiet'), OTHER);
}, 240_000);

afterEach(async () => {
  expect((await daemon.call('quiet', 'echo', { tenant: OTHER, parameters: { text: 'well' } })).texts).toEqual(['well']);
  await daemon.expectIdle();
});

afterAll(async () => {
  await daemon?.close();
});

async function uninstall(identifier: string, tenant = ONE): Promise<void> {
  const found = (await daemon.client(tenant).list()).find((one) => one.plugin_unique_identifier === identifier);
  await daemon.client(tenant).uninstall(found?.id ?? '');
}

test('a plugin that is uninstalled finishes what it has begun, takes no more, and ends', async () => {
  const before = daemon.processes().length;
  const identifier = await daemon.install(rudePackage('leaving'));
  const stream = await daemon.open('leaving', 'drip', { parameters: { count: 10, seconds: 0.1 } });
  await stream.text(1);
  await uninstall(identifier);
  const refused = await daemon.call('leaving', 'echo');
  expect(refused.status).toBe(404);
  await stream.done;
  expect(stream.complete).toBe(true);
  expect(stream.texts.at(-1)).toBe('9');
  await eventually('its process ends', () => daemon.processes().length === before || undefined);
});

test('a plugin of two tenants stays for the one when the other uninstalls it', async () => {
  const packed = rudePackage('shared');
  const identifier = await daemon.install(packed);
  expect(await daemon.install(packed, OTHER)).toBe(identifier);
  const life = (await daemon.call('shared', 'life')).texts[0];
  expect((await daemon.call('shared', 'life', { tenant: OTHER })).texts).toEqual([life]);
  const stream = await daemon.open('shared', 'drip', { tenant: OTHER, parameters: { count: 5, seconds: 0.1 } });
  await uninstall(identifier);
  expect((await daemon.call('shared', 'life')).status).toBe(404);
  expect((await daemon.call('shared', 'life', { tenant: OTHER })).texts).toEqual([life]);
  await stream.done;
  expect(stream.texts.at(-1)).toBe('4');
  await uninstall(identifier, OTHER);
});

test('an upgrade: open streams end on the old version, new calls go to the new one', async () => {
  const original = await daemon.install(rudePackage('growing'));
  const next = { ...manifest('growing'), version: '0.0.2' };
  const { unique_identifier: target } = await daemon
    .client()
    .upload(rudePackage('growing', {}, { 'manifest.yaml': yaml(next) }));
  const old = (await daemon.call('growing', 'life')).texts[0];
  const stream = await daemon.open('growing', 'drip', { parameters: { count: 30, seconds: 0.1 } });
  await stream.text(0);
  const { task_id } = await daemon.client().call<{ task_id: string }>('POST', '/management/install/upgrade', {
    original_plugin_unique_identifier: original,
    new_plugin_unique_identifier: target,
    source: 'package',
    meta: {},
  });
  await eventually('the upgrade is done', async () => {
    const task = await daemon.client().call<{ status: string }>('GET', `/management/install/tasks/${task_id}`);
    return task.status === 'success' || undefined;
  });
  expect((await daemon.call('growing', 'life')).texts[0]).not.toBe(old);
  await stream.done;
  expect(stream.complete).toBe(true);
  expect(stream.texts.at(-1)).toBe('29');
  await uninstall(target);
});

test('uninstalling while it is being installed, and installing again', async () => {
  const packed = rudePackage('flickering');
  const { unique_identifier: identifier } = await daemon.client().upload(packed);
  for (let n = 0; n < 3; n++) {
    const task = await daemon.beginInstall(identifier);
    await daemon.client().call('POST', `/management/install/tasks/${task}/delete`);
  }
  await daemon.install(packed);
  expect((await daemon.call('flickering', 'echo', { parameters: { text: 'there' } })).texts).toEqual(['there']);
  await uninstall(identifier);
});

/** A small generator of numbers, so that a run can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('everything at once: every call ends, and every answer is its own', async () => {
  const identifier = await daemon.install(rudePackage('rude'));
  const below = random(20_260_115);
  const bystander = await daemon.open('quiet', 'drip', { tenant: OTHER, parameters: { count: 40, seconds: 0.05 } });
  let echoed = 0;
  const failures = new Set<string | undefined>();

  const ended = (stream: EventStream): void => {
    expect(stream.complete).toBe(true);
    if (stream.events.at(-1)?.code !== 0 && stream.events.length > 0)
      failures.add(stream.failure.inner?.error_type ?? stream.failure.message);
  };
  const acts: readonly (() => Promise<void>)[] = [
    async () => {
      const text = `echo ${below(1e9)}`;
      const answer = await daemon.call('rude', 'echo', { parameters: { text } });
      ended(answer);
      // Its plugin may have been killed by another act; it never gets somebody else's answer.
      if (answer.texts.length > 0) expect(answer.texts).toEqual([text]);
      if (answer.texts.length > 0) echoed++;
    },
    async () => ended(await daemon.call('rude', 'garbage')),
    async () => ended(await daemon.call('rude', 'twins')),
    async () => ended(await daemon.call('rude', 'late')),
    async () => ended(await daemon.call('rude', 'forge', { parameters: { of: 'nobody' } })),
    async () => ended(await daemon.call('rude', 'long', { parameters: { bytes: 2 * MIB } })),
    async () => ended(await daemon.call('rude', 'drip', { parameters: { count: 5, seconds: 0.02 } })),
    async () => {
      const stream = await daemon.open('rude', 'hang');
      stream.leave();
    },
    async () => {
      const stream = await daemon.open('rude', 'flood', { paused: true, parameters: { bytes: 3 * MIB } });
      if (below(2) === 0) stream.read();
      else stream.leave();
      await stream.done;
    },
    async () => {
      if (below(4) === 0) ended(await daemon.call('rude', 'kill'));
    },
  ];
  const worker = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) await acts[below(acts.length)]?.();
  };
  await Promise.all(Array.from({ length: 12 }, worker));
  await bystander.done;
  expect(bystander.texts.at(-1)).toBe('39');
  expect(echoed).toBeGreaterThan(5);
  for (const failure of failures) expect(failure).toMatch(/^(ConnectionClosedError|PluginMessageTooLargeError)$/);
  expect((await daemon.call('rude', 'echo', { parameters: { text: 'still here' } })).texts).toEqual(['still here']);
  await uninstall(identifier);
});
