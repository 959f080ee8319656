import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime } from '@plugin-daemon/plugin-host/runtimes';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Placement } from '../routing/index.ts';
import type { CallOptions } from './invocations.ts';
import { FakeOutput, FakeRuntime, placementOf, world } from './testing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a runtime that is not ready is waited for', async () => {
  const runtime = new FakeRuntime();
  const ready = Promise.withResolvers<PluginRuntime>();
  const { open } = world({ routing: { peek: () => undefined, ready: () => ready.promise } });
  const output = new FakeOutput();
  let opened = false;
  const opening = open(output).then(() => {
    opened = true;
  });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(opened).toBe(false);
  ready.resolve(runtime);
  await opening;
  expect(runtime.sent).toHaveLength(1);
});

test('a runtime that cannot be started is the caller’s error, and nothing stays open', async () => {
  const error = new DaemonError('runtime-unavailable', 'it broke');
  const { open, invocations } = world({
    routing: { peek: () => undefined, ready: () => Promise.reject(error) },
  });
  await expect(open(new FakeOutput())).rejects.toBe(error);
  expect(invocations.openSessions).toBe(0);
});

test('a process that just died is replaced: the call is tried again on the next one', async () => {
  const dying = new FakeRuntime();
  dying.broken = new Error('plugin instance stopped');
  const fresh = new FakeRuntime();
  let current: PluginRuntime = dying;
  const { open, opened } = world({
    routing: { peek: () => current, ready: async () => current },
  });
  const opening = open(new FakeOutput());
  await vi.advanceTimersByTimeAsync(500);
  expect(opened).toEqual([]);
  expect(dying.sinks.size).toBe(0);
  current = fresh;
  await vi.advanceTimersByTimeAsync(500);
  const session = await opening;
  expect([...fresh.sinks.keys()]).toEqual([session.id]);
});

test('it is tried for 6 s, then the reason is the caller’s error', async () => {
  const dying = new FakeRuntime();
  dying.broken = new Error('the plugin does not read its input');
  const { open, invocations } = world({
    routing: { peek: () => dying, ready: async () => dying },
  });
  const opening = open(new FakeOutput()).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(7000);
  expect(await opening).toMatchObject({
    kind: 'internal',
    message: 'the plugin does not read its input\nfailed to write request',
  });
  expect(invocations.openSessions).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('a caller that leaves while it is tried again ends the trying', async () => {
  const dying = new FakeRuntime();
  dying.broken = new Error('gone');
  const { open } = world({ routing: { peek: () => dying, ready: async () => dying } });
  const left = new AbortController();
  const opening = open(new FakeOutput(), { caller: left }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(100);
  left.abort(new Error('the client left'));
  await vi.advanceTimersByTimeAsync(0);
  expect(await opening).toBeInstanceOf(Error);
  expect(vi.getTimerCount()).toBe(0);
});

test('the declaration is read once for each process', async () => {
  let reads = 0;
  let current = new FakeRuntime();
  const { open } = world({ routing: { peek: () => current, ready: async () => current } });
  const placement = () => {
    const { declaration, ...known } = placementOf(current);
    return {
      ...known,
      declaration: () => {
        reads++;
        return declaration();
      },
    };
  };
  for (let n = 0; n < 3; n++) await open(new FakeOutput(), { placement: placement() });
  expect(reads).toBe(1);
  current = new FakeRuntime();
  await open(new FakeOutput(), { placement: placement() });
  expect(reads).toBe(2);
});

test('a plugin whose declaration is stored nowhere cannot be called', async () => {
  const { open, runtime, invocations } = world();
  const placement = { ...placementOf(runtime), declaration: async () => undefined };
  await expect(open(new FakeOutput(), { placement })).rejects.toMatchObject({ kind: 'plugin-not-found' });
  expect(invocations.openSessions).toBe(0);
});

test('every session has its own id', async () => {
  const { open, runtime } = world();
  for (let n = 0; n < 10; n++) await open(new FakeOutput());
  expect(new Set(runtime.lines.map((line) => line.session_id)).size).toBe(10);
  expect(runtime.sinks.size).toBe(10);
});

test('an open session is found by its id, one that is over is not', async () => {
  const made = world();
  const session = await made.open(new FakeOutput());
  expect(made.invocations.find(session.id)).toBe(session);
  session.leave();
  expect(made.invocations.find(session.id)).toBeUndefined();
});

test('draining waits for open sessions, or for the signal', async () => {
  const { open, invocations, runtime } = world();
  const outputs = [new FakeOutput(), new FakeOutput()];
  for (const output of outputs) await open(output);
  let drained = false;
  const giveUp = new AbortController();
  const draining = invocations.drained(giveUp.signal).then(() => {
    drained = true;
  });
  const [first] = runtime.sinks.values();
  first?.end();
  await vi.advanceTimersByTimeAsync(1000);
  expect(drained).toBe(false);
  giveUp.abort();
  await vi.advanceTimersByTimeAsync(100);
  await draining;
  invocations.abortAll(new DaemonError('runtime-unavailable', 'the daemon is stopping'));
  expect(outputs[0]?.ends).toEqual(['end']);
  expect(outputs[1]?.failure).toMatchObject({ from: 'daemon', error: { message: 'the daemon is stopping' } });
  expect(invocations.openSessions).toBe(0);
});

test('whether anything runs a plugin can be asked without a call', async () => {
  const error = new DaemonError('not-routable', 'no available node, plugin runtime not found');
  const none = world({
    routing: { peek: () => undefined, ready: () => Promise.reject(error) },
  });
  await expect(none.invocations.requireRunning(placementOf(new FakeRuntime()), AbortSignal.abort())).rejects.toBe(
    error,
  );
  const runtime = new FakeRuntime();
  const one = world({
    routing: { peek: () => runtime, ready: () => Promise.reject(error) },
  });
  await one.invocations.requireRunning(placementOf(new FakeRuntime()), AbortSignal.abort());
  expect(runtime.sent).toHaveLength(0);
});

describe('a version that is replaced while it is waited for', () => {
  const gone = () => new DaemonError('runtime-unavailable', 'the plugin was stopped: plugin runtime not found');
  const placed = (identifier: string): Placement => ({ ...placementOf(new FakeRuntime()), identifier });
  const [old, young] = [placed('a/b:1@x'), placed('a/b:2@y')];
  const routing = (runtime: FakeRuntime) => ({
    peek: () => undefined,
    ready: async ({ identifier }: Placement) => {
      if (identifier === old.identifier) throw gone();
      return runtime;
    },
  });
  const runtime = new FakeRuntime();

  test('the call goes to the one that the tenant has now', async () => {
    const { open } = world({ routing: routing(runtime) });
    const session = await open(new FakeOutput(), { placement: old, anew: async () => young });
    expect(session.runtime).toBe(runtime);
  });

  test.each([
    ['it is the same', () => old],
    ['there is none', () => undefined],
    ['it is away', async () => 'away' as const],
    ['it cannot be asked', () => Promise.reject(new Error('the database is away'))],
    [
      'asking fails at once',
      () => {
        throw new Error('no node');
      },
    ],
  ] satisfies [string, CallOptions['anew']][])('it fails as it did when %s', async (_what, anew) => {
    const { open } = world({ routing: routing(runtime) });
    await expect(open(new FakeOutput(), { placement: old, anew })).rejects.toThrow('the plugin was stopped');
  });

  test('a call of that version alone fails', async () => {
    const { open } = world({ routing: routing(runtime) });
    await expect(open(new FakeOutput(), { placement: old })).rejects.toThrow('the plugin was stopped');
  });
});
