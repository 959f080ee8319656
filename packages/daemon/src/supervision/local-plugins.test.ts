import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LocalSupervisor } from './local-plugins.ts';
import { FakeProcess, FakeStarts, fakeLog } from './testing.ts';

const LOOK_MS = 30_000;
let starts: FakeStarts;
let desired: readonly string[] | Error;
let lines: string[];
let supervisor: LocalSupervisor;

beforeEach(() => {
  vi.useFakeTimers();
  starts = new FakeStarts();
  desired = [];
  const { log, lines: kept } = fakeLog();
  lines = kept;
  supervisor = new LocalSupervisor({
    start: starts.start,
    desired: async () => {
      if (desired instanceof Error) throw desired;
      return desired;
    },
    isDesired: async (identifier) => !(desired instanceof Error) && desired.includes(identifier),
    drainSeconds: 60,
    lookEveryMs: LOOK_MS,
    log,
    onState: () => undefined,
  });
});

afterEach(async () => {
  const closed = supervisor.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closed;
  vi.useRealTimers();
});

const forever = () => new AbortController().signal;
const settle = () => vi.advanceTimersByTimeAsync(0);
const started = () => starts.calls.map((call) => call.identifier);

test('what is installed is started at once, what is added later at the next look', async () => {
  desired = ['a', 'b'];
  supervisor.begin();
  await settle();
  expect(started()).toEqual(['a', 'b']);
  desired = ['a', 'b', 'c'];
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(started()).toEqual(['a', 'b', 'c']);
});

test('a plugin has to be missing twice before it is stopped: one bad look ends nothing', async () => {
  desired = ['a'];
  supervisor.begin();
  await settle();
  const running = starts.succeed();
  await settle();
  desired = [];
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(running.stopped).toBeUndefined();
  desired = ['a'];
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  desired = [];
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(running.stopped).toBeUndefined();
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(running.stopped).toBeDefined();
});

test('a database that does not answer changes nothing', async () => {
  desired = ['a'];
  supervisor.begin();
  await settle();
  const running = starts.succeed();
  desired = new Error('database is gone');
  await vi.advanceTimersByTimeAsync(5 * LOOK_MS);
  expect(running.stopped).toBeUndefined();
  expect(supervisor.peek('a')).toBe(running.runtime);
  expect(lines).toContain('the list of installed plugins could not be read');
});

test('a request for an installed plugin that nobody has started yet starts it', async () => {
  desired = ['a'];
  const asking = supervisor.ready('a', forever());
  await settle();
  const { runtime } = starts.succeed();
  expect(await asking).toBe(runtime);
  expect(supervisor.peek('a')).toBe(runtime);
});

test('one for a plugin that is not installed here starts nothing', async () => {
  await expect(supervisor.ready('a', forever())).rejects.toMatchObject({
    kind: 'not-routable',
    message: 'no available node, plugin runtime not found',
  });
  expect(starts.calls).toEqual([]);
});

test('a failed start is told in the words that Dify takes as "try again", with the cause', async () => {
  desired = ['a'];
  const asking = supervisor.ready('a', forever()).catch((error: unknown) => error);
  await settle();
  starts.fail(new Error('no wheel for this machine'));
  expect(await asking).toMatchObject({
    kind: 'runtime-unavailable',
    message: 'failed to get plugin runtime: plugin runtime not found: no wheel for this machine',
  });
  expect(supervisor.problems()).toMatchObject({ a: expect.any(String) });
});

test('a plugin being installed is left alone by the looks although nobody has it yet', async () => {
  supervisor.begin();
  const installing = supervisor.ensure('new', { signal: forever() });
  await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
  expect(starts.calls).toHaveLength(1);
  const { runtime } = starts.succeed();
  await installing;
  expect(supervisor.peek('new')).toBe(runtime);
});

test('an installation that fails is not tried for ever', async () => {
  const installing = supervisor.ensure('new', { signal: forever() }).catch((error: Error) => error.message);
  starts.fail(new Error('broken'));
  expect(await installing).toBe('broken');
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls.length).toBeLessThanOrEqual(2);
  expect(starts.calls.every((call) => call === starts.calls[0] || call.signal.aborted)).toBe(true);
  expect(supervisor.problems()).toEqual({});
});

test('one that fails although another tenant has it goes on being tried', async () => {
  desired = ['a'];
  const installing = supervisor.ensure('a', { signal: forever() }).catch((error: Error) => error.message);
  starts.fail(new Error('broken'));
  expect(await installing).toBe('broken');
  await vi.advanceTimersByTimeAsync(2000);
  expect(starts.calls.length).toBeGreaterThan(1);
  expect(Object.keys(supervisor.problems())).toEqual(['a']);
});

test('two tenants install the same: one start; the one who gives up does not take it from the other', async () => {
  const left = new AbortController();
  const first = supervisor.ensure('new', { signal: left.signal }).catch((error: Error) => error.message);
  const second = supervisor.ensure('new', { signal: forever() });
  left.abort(new Error('cancelled'));
  expect(await first).toBe('cancelled');
  starts.succeed();
  await second;
  expect(starts.calls).toHaveLength(1);
  expect(supervisor.peek('new')).toBeDefined();
});

test('closing ends every process and refuses new ones', async () => {
  desired = ['a', 'b'];
  supervisor.begin();
  await settle();
  const processes = starts.calls.map((call, n) => {
    const running = new FakeProcess(n);
    running.sessions = n;
    call.outcome.resolve(running.runtime);
    return running;
  });
  await settle();
  const closing = supervisor.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closing;
  expect(supervisor.peek('a') ?? supervisor.peek('b')).toBeUndefined();
  expect(processes.map((running) => running.stopped)).toEqual(['the plugin was stopped', 'the plugin was stopped']);
  await expect(supervisor.ready('a', forever())).rejects.toThrow('the daemon is stopping');
});
