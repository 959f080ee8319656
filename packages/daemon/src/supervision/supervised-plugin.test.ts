import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type PluginState, SupervisedPlugin } from './supervised-plugin.ts';
import { FakeProcess, FakeStarts, fakeLog } from './testing.ts';

let starts: FakeStarts;
let states: PluginState[];
let plugin: SupervisedPlugin;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  starts = new FakeStarts();
  states = [];
  plugin = new SupervisedPlugin({
    identifier: 'tests/fake:0.0.1@abc',
    start: (options) => starts.start('tests/fake:0.0.1@abc', options),
    drainSeconds: 60,
    log: fakeLog().log,
    onState: (state) => states.push(state),
  });
});

afterEach(async () => {
  await plugin.retire(AbortSignal.abort());
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const forever = () => new AbortController().signal;
const settle = () => vi.advanceTimersByTimeAsync(0);

test('all who ask while it starts get the one process', async () => {
  const asking = [plugin.ensure(forever()), plugin.ensure(forever()), plugin.ensure(forever())];
  expect(starts.calls).toHaveLength(1);
  const { runtime } = starts.succeed();
  expect(await Promise.all(asking)).toEqual([runtime, runtime, runtime]);
  expect(await plugin.ensure(forever())).toBe(runtime);
  expect(plugin.runtime).toBe(runtime);
  expect(states).toEqual(['starting', 'running']);
});

test('progress goes to those who asked for it while they wait', async () => {
  const heard: string[] = [];
  const left = new AbortController();
  const first = plugin.ensure(left.signal, (step) => heard.push(`first ${step}`)).catch(() => undefined);
  const second = plugin.ensure(forever(), (step) => heard.push(`second ${step}`));
  starts.calls[0]?.onProgress('unpacking');
  left.abort();
  await first;
  starts.calls[0]?.onProgress('installing');
  starts.succeed();
  await second;
  starts.calls[0]?.onProgress('late');
  expect(heard).toEqual(['first unpacking', 'second unpacking', 'second installing']);
});

test('one who leaves does not stop the start for the others', async () => {
  const left = new AbortController();
  const leaving = plugin.ensure(left.signal);
  left.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  expect(starts.calls[0]?.signal.aborted).toBe(false);
  const { runtime } = starts.succeed();
  await settle();
  expect(plugin.runtime).toBe(runtime);
  await expect(plugin.ensure(AbortSignal.abort(new Error('too late')))).resolves.toBe(runtime);
});

test('a start that fails: all are told; who comes in the next second too, without another start; then it is tried again', async () => {
  const asking = [plugin.ensure(forever()), plugin.ensure(forever())].map((one) => one.catch((e: Error) => e.message));
  starts.fail(new Error('no wheel'));
  expect(await Promise.all(asking)).toEqual(['no wheel', 'no wheel']);
  expect([plugin.state, plugin.problem]).toEqual(['waiting', 'no wheel']);
  await expect(plugin.ensure(forever())).rejects.toThrow('no wheel');
  expect(starts.calls).toHaveLength(1);
  // The first repetition comes at once by itself.
  await settle();
  expect(starts.calls).toHaveLength(2);
  starts.fail(new Error('still none'));
  await settle();
  await vi.advanceTimersByTimeAsync(400);
  await expect(plugin.ensure(forever())).rejects.toThrow('still none');
  await vi.advanceTimersByTimeAsync(200);
  expect(starts.calls).toHaveLength(3);
});

test('pauses grow up to five minutes, and a request does not wait for their end', async () => {
  plugin.ensure(forever()).catch(() => undefined);
  const pauses: number[] = [];
  for (let n = 0; n < 14; n++) {
    const failedAt = Date.now();
    const before = starts.calls.length;
    starts.fail(new Error('no'));
    await settle();
    while (starts.calls.length === before) await vi.advanceTimersByTimeAsync(250);
    pauses.push(Date.now() - failedAt);
  }
  expect(pauses.slice(0, 5)).toEqual([0, 500, 1000, 2000, 4000]);
  expect(pauses.at(-1)).toBe(300_000);
  starts.fail(new Error('no'));
  await vi.advanceTimersByTimeAsync(2000);
  const asking = plugin.ensure(forever());
  const { runtime } = starts.succeed();
  expect(await asking).toBe(runtime);
});

test('a plugin that ends is started again, at once for whoever asks, every time', async () => {
  void plugin.ensure(forever());
  for (let n = 0; n < 5; n++) {
    const running = starts.succeed(new FakeProcess(n));
    await settle();
    running.die('killed');
    await running.ended;
    await Promise.resolve();
    expect(plugin.runtime).toBeUndefined();
    const asking = plugin.ensure(forever());
    expect(starts.calls).toHaveLength(n + 2);
    expect(plugin.state).toBe('starting');
    void asking;
  }
  starts.succeed();
  await settle();
  expect(plugin.state).toBe('running');
});

test('one that ran for a while begins a new count of failures', async () => {
  void plugin.ensure(forever());
  for (let n = 0; n < 6; n++) {
    const running = starts.succeed();
    await vi.advanceTimersByTimeAsync(61_000);
    running.die();
    const before = starts.calls.length;
    await settle();
    await settle();
    expect(starts.calls.length).toBe(before + 1);
  }
});

test('retiring waits for open sessions, then stops the process', async () => {
  void plugin.ensure(forever());
  const running = starts.succeed();
  await settle();
  running.sessions = 2;
  let retired = false;
  const retiring = plugin.retire().then(() => {
    retired = true;
  });
  expect(plugin.runtime).toBeUndefined();
  await vi.advanceTimersByTimeAsync(30_000);
  expect([retired, running.stopped]).toEqual([false, undefined]);
  running.sessions = 0;
  await vi.advanceTimersByTimeAsync(200);
  await retiring;
  expect(running.stopped).toBe('the plugin was stopped');
  expect(states.at(-1)).toBe('stopped');
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls).toHaveLength(1);
});

test('not for ever: the limit, and the signal, end the waiting', async () => {
  void plugin.ensure(forever());
  const running = starts.succeed();
  await settle();
  running.sessions = 1;
  const hurry = new AbortController();
  const retiring = plugin.retire(hurry.signal);
  await vi.advanceTimersByTimeAsync(1000);
  expect(running.stopped).toBeUndefined();
  hurry.abort();
  await vi.advanceTimersByTimeAsync(200);
  await retiring;
  expect(running.stopped).toBeDefined();
});

test('after the drain limit the process is stopped although sessions are open', async () => {
  void plugin.ensure(forever());
  const running = starts.succeed();
  await settle();
  running.sessions = 1;
  const retiring = plugin.retire();
  await vi.advanceTimersByTimeAsync(60_200);
  await retiring;
  expect(running.stopped).toBeDefined();
});

test('retiring while it starts gives the start up, and its askers are told', async () => {
  const asking = plugin.ensure(forever()).catch((error: unknown) => error);
  await plugin.retire();
  expect(starts.calls[0]?.signal.aborted).toBe(true);
  expect(await asking).toMatchObject({ kind: 'runtime-unavailable' });
  expect(plugin.state).toBe('stopped');
});

test('retiring while it waits for its next start ends the waiting', async () => {
  plugin.ensure(forever()).catch(() => undefined);
  for (let n = 0; n < 3; n++) {
    starts.fail(new Error('no'));
    await vi.advanceTimersByTimeAsync(n === 2 ? 0 : 1000);
  }
  const before = starts.calls.length;
  await plugin.retire();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls).toHaveLength(before);
});
