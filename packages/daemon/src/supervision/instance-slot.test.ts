import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { InstanceSlot, type PluginState } from './instance-slot.ts';
import { FakeProcess, FakeStarts, fakeLog } from './testing.ts';

let starts: FakeStarts;
let states: PluginState[];
let slot: InstanceSlot;
let restarts: number;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  starts = new FakeStarts();
  states = [];
  restarts = 0;
  slot = new InstanceSlot({
    identifier: 'tests/fake:0.0.1@abc',
    start: (options) => starts.start('tests/fake:0.0.1@abc', options),
    drainSeconds: 60,
    log: fakeLog().log,
    onState: (state) => states.push(state),
    onRestarted: () => restarts++,
  });
});

afterEach(async () => {
  await slot.retire(AbortSignal.abort());
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const forever = () => new AbortController().signal;
const settle = () => vi.advanceTimersByTimeAsync(0);

test('all who ask while it starts get the one process', async () => {
  const asking = [slot.ensure(forever()), slot.ensure(forever()), slot.ensure(forever())];
  expect(starts.calls).toHaveLength(1);
  const runtime = starts.succeed();
  expect(await Promise.all(asking)).toEqual([runtime, runtime, runtime]);
  expect(await slot.ensure(forever())).toBe(runtime);
  expect(slot.instance).toBe(runtime);
  expect(states).toEqual(['starting', 'running']);
});

test('progress goes to those who asked for it while they wait', async () => {
  const heard: string[] = [];
  const left = new AbortController();
  const first = slot.ensure(left.signal, { onProgress: (step) => heard.push(`first ${step}`) }).catch(() => undefined);
  const second = slot.ensure(forever(), { onProgress: (step) => heard.push(`second ${step}`) });
  starts.calls[0]?.onProgress('unpacking');
  left.abort();
  await first;
  starts.calls[0]?.onProgress('installing');
  const third = slot.ensure(forever(), { onProgress: (step) => heard.push(`third ${step}`) });
  starts.succeed();
  await Promise.all([second, third]);
  starts.calls[0]?.onProgress('late');
  expect(heard).toEqual(['first unpacking', 'second unpacking', 'second installing', 'third installing']);
});

test('one who leaves does not stop the start for the others', async () => {
  const left = new AbortController();
  const leaving = slot.ensure(left.signal);
  left.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  expect(starts.calls[0]?.signal.aborted).toBe(false);
  const runtime = starts.succeed();
  await settle();
  expect(slot.instance).toBe(runtime);
  await expect(slot.ensure(AbortSignal.abort(new Error('too late')))).resolves.toBe(runtime);
});

test('a start that fails: all are told; who comes in the next second too, without another start; then it is tried again', async () => {
  const asking = [slot.ensure(forever()), slot.ensure(forever())].map((one) => one.catch((e: Error) => e.message));
  starts.fail(new Error('no wheel'));
  expect(await Promise.all(asking)).toEqual(['no wheel', 'no wheel']);
  expect([slot.state, slot.problem]).toEqual(['waiting', 'no wheel']);
  await expect(slot.ensure(forever())).rejects.toThrow('no wheel');
  expect(starts.calls).toHaveLength(1);
  // The first repetition comes at once by itself.
  await settle();
  expect(starts.calls).toHaveLength(2);
  starts.fail(new Error('still none'));
  await settle();
  await vi.advanceTimersByTimeAsync(400);
  await expect(slot.ensure(forever())).rejects.toThrow('still none');
  await vi.advanceTimersByTimeAsync(200);
  expect(starts.calls).toHaveLength(3);
});

test('pauses grow up to five minutes, and a request does not wait for their end', async () => {
  slot.ensure(forever()).catch(() => undefined);
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
  const asking = slot.ensure(forever());
  const runtime = starts.succeed();
  expect(await asking).toBe(runtime);
  expect(restarts, 'it had never run').toBe(0);
});

test('a plugin that ends is started again, at once for whoever asks, every time', async () => {
  void slot.ensure(forever());
  for (let n = 0; n < 5; n++) {
    const running = starts.succeed(new FakeProcess(n));
    await settle();
    running.die('killed');
    await running.ended;
    await Promise.resolve();
    expect(slot.instance).toBeUndefined();
    const asking = slot.ensure(forever());
    expect(starts.calls).toHaveLength(n + 2);
    expect(slot.state).toBe('starting');
    void asking;
    expect(restarts).toBe(n);
  }
  starts.succeed();
  await settle();
  expect(slot.state).toBe('running');
  expect(restarts).toBe(5);
});

test('one that ran for a while begins a new count of failures', async () => {
  void slot.ensure(forever());
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

test('one that ran and ended is there again at once the first times, then after pauses', async () => {
  void slot.ensure(forever());
  const pauses: number[] = [];
  for (let n = 0; n < 6; n++) {
    const running = starts.succeed(new FakeProcess(n));
    await settle();
    const before = starts.calls.length;
    const diedAt = Date.now();
    running.die();
    await settle();
    while (starts.calls.length === before) await vi.advanceTimersByTimeAsync(250);
    pauses.push(Date.now() - diedAt);
  }
  expect(pauses).toEqual([0, 0, 0, 500, 1000, 2000]);
});

test('a start becomes urgent when somebody begins to wait for it', async () => {
  slot.ensure(forever(), { asker: 'nobody' }).catch(() => undefined);
  expect(starts.calls[0]?.urgency?.urgent).toBe(false);
  void slot.ensure(forever(), { asker: 'task' });
  expect(starts.calls[0]?.urgency).toMatchObject({ urgent: true, ofCalls: { urgent: false } });
  void slot.ensure(forever());
  expect(starts.calls[0]?.urgency?.ofCalls.urgent).toBe(true);
  starts.succeed();
  await settle();
  expect(slot.hurry()).toBe(false);
});

test('retiring waits for open sessions, then stops the process', async () => {
  void slot.ensure(forever());
  const running = starts.succeed();
  await settle();
  const sessions = [running.open('a'), running.open('b')];
  let retired = false;
  const retiring = slot.retire().then(() => {
    retired = true;
  });
  expect(slot.instance).toBeUndefined();
  await vi.advanceTimersByTimeAsync(30_000);
  expect([retired, running.stopped]).toEqual([false, undefined]);
  for (const session of sessions) session.close();
  await retiring;
  expect(running.stopped).toBe('the plugin was stopped');
  expect(states.at(-1)).toBe('stopped');
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls).toHaveLength(1);
});

test('not for ever: the limit, and the signal, end the waiting', async () => {
  void slot.ensure(forever());
  const running = starts.succeed();
  await settle();
  running.open('a');
  const hurry = new AbortController();
  const retiring = slot.retire(hurry.signal);
  await vi.advanceTimersByTimeAsync(1000);
  expect(running.stopped).toBeUndefined();
  hurry.abort();
  await retiring;
  expect(running.stopped).toBeDefined();
});

test('after the drain limit the process is stopped although sessions are open', async () => {
  void slot.ensure(forever());
  const running = starts.succeed();
  await settle();
  running.open('a');
  const retiring = slot.retire();
  await vi.advanceTimersByTimeAsync(60_000);
  await retiring;
  expect(running.stopped).toBeDefined();
});

test('retiring while it starts gives the start up, and its askers are told', async () => {
  const asking = slot.ensure(forever()).catch((error: unknown) => error);
  await slot.retire();
  expect(starts.calls[0]?.signal.aborted).toBe(true);
  expect(await asking).toMatchObject({ kind: 'runtime-unavailable' });
  expect(slot.state).toBe('stopped');
});

test('retiring while it waits for its next start ends the waiting', async () => {
  slot.ensure(forever()).catch(() => undefined);
  for (let n = 0; n < 3; n++) {
    starts.fail(new Error('no'));
    await vi.advanceTimersByTimeAsync(n === 2 ? 0 : 1000);
  }
  const before = starts.calls.length;
  await slot.retire();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls).toHaveLength(before);
});
