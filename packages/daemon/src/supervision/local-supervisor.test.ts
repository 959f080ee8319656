import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LocalSupervisor } from './local-supervisor.ts';
import type { PoolPolicy } from './policy.ts';
import { FakeProcess, FakeStarts, fakeLog, testPolicy } from './testing.ts';

const LOOK_MS = 30_000;
let starts: FakeStarts;
let desired: readonly string[] | Error;
let asked: Error | undefined;
let lines: string[];
let supervisor: LocalSupervisor;
let policy: PoolPolicy;
/** When which version was used last. */
let uses: Map<string, number>;
const recentUse = {
  lastUse: (identifier: string) => uses.get(identifier),
  used: (identifier: string, at: number) => void uses.set(identifier, at),
  forget: (identifier: string) => void uses.delete(identifier),
  save: async () => undefined,
};

/** A supervisor of the doubles above. */
const supervisorOf = (log: ReturnType<typeof fakeLog>['log'], options: { readonly wakeAfterMs?: number } = {}) =>
  new LocalSupervisor({
    start: starts.start,
    desired: async () => {
      if (desired instanceof Error) throw desired;
      return desired;
    },
    isDesired: async (identifier) => {
      if (asked !== undefined) throw asked;
      return !(desired instanceof Error) && desired.includes(identifier);
    },
    policyOf: () => policy,
    recentUse,
    wakesAtOnce: 2,
    drainSeconds: 60,
    lookEveryMs: LOOK_MS,
    log,
    onState: () => undefined,
    ...options,
  });

beforeEach(() => {
  vi.useFakeTimers();
  starts = new FakeStarts();
  desired = [];
  policy = testPolicy();
  uses = new Map();
  asked = undefined;
  const { log, lines: kept } = fakeLog();
  lines = kept;
  supervisor = supervisorOf(log);
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
  for (const call of starts.calls) call.outcome.resolve(new FakeProcess());
  desired = ['a', 'b', 'c'];
  await vi.advanceTimersByTimeAsync(LOOK_MS);
  expect(started()).toEqual(['a', 'b', 'c']);
});

test('for a moment after the beginning only what is called is started', async () => {
  desired = ['a', 'b', 'c'];
  await supervisor.close();
  supervisor = supervisorOf(fakeLog().log, { wakeAfterMs: 500 });
  supervisor.begin();
  await settle();
  expect(started()).toEqual([]);
  const asking = supervisor.ready('c', forever());
  await settle();
  expect(started()).toEqual(['c']);
  starts.succeed();
  await asking;
  await vi.advanceTimersByTimeAsync(499);
  expect(started()).toEqual(['c']);
  await vi.advanceTimersByTimeAsync(1);
  expect(started()).toEqual(['c', 'a', 'b']);
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
  expect(supervisor.peek('a')).toBe(running);
  expect(lines).toContain('the list of installed plugins could not be read');
});

test('a request for an installed plugin that nobody has started yet starts it', async () => {
  desired = ['a'];
  const asking = supervisor.ready('a', forever());
  await settle();
  const runtime = starts.succeed();
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
  const installing = supervisor.claim('new').ready({ signal: forever() });
  await vi.advanceTimersByTimeAsync(10 * LOOK_MS);
  expect(starts.calls).toHaveLength(1);
  const runtime = starts.succeed();
  await installing;
  expect(supervisor.peek('new')).toBe(runtime);
});

test('an installation that fails is not tried for ever', async () => {
  const claim = supervisor.claim('new');
  const installing = claim.ready({ signal: forever() }).catch((error: Error) => error.message);
  starts.fail(new Error('broken'));
  expect(await installing).toBe('broken');
  expect(await claim.release()).toBe(true);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(starts.calls.length).toBeLessThanOrEqual(2);
  expect(starts.calls.every((call) => call === starts.calls[0] || call.signal.aborted)).toBe(true);
  expect(supervisor.problems()).toEqual({});
  void supervisor.claim('new').ready({ signal: forever() });
  starts.succeed();
  await settle();
  expect(supervisor.peek('new')).toBeDefined();
});

test('one that fails although another tenant has it goes on being tried', async () => {
  desired = ['a'];
  const claim = supervisor.claim('a');
  const installing = claim.ready({ signal: forever() }).catch((error: Error) => error.message);
  starts.fail(new Error('broken'));
  expect(await installing).toBe('broken');
  expect(await claim.release()).toBe(false);
  await vi.advanceTimersByTimeAsync(2000);
  expect(starts.calls.length).toBeGreaterThan(1);
  expect(Object.keys(supervisor.problems())).toEqual(['a']);
});

test('two jobs install the same: one start, whose steps both see; who gives up does not take it from the other, the last one does', async () => {
  const [a, b] = [supervisor.claim('new'), supervisor.claim('new')];
  const [left, leftToo] = [new AbortController(), new AbortController()];
  const first = a.ready({ signal: left.signal }).catch((error: Error) => error.message);
  starts.calls[0]?.onProgress('installing dependencies');
  const seen: string[] = [];
  const second = b
    .ready({ signal: leftToo.signal, onProgress: (step) => seen.push(step) })
    .catch((error: Error) => error.message);
  starts.calls[0]?.onProgress('starting');
  expect(seen).toEqual(['installing dependencies', 'starting']);
  left.abort(new Error('deleted'));
  expect([await first, await a.release()]).toEqual(['deleted', false]);
  expect(starts.calls.map((call) => call.signal.aborted)).toEqual([false]);
  leftToo.abort(new Error('deleted too'));
  expect([await second, await b.release()]).toEqual(['deleted too', true]);
  expect(starts.calls.map((call) => call.signal.aborted)).toEqual([true]);
});

test('a claim that is released twice counts once', async () => {
  const [a, b] = [supervisor.claim('new'), supervisor.claim('new')];
  void b.ready({ signal: forever() });
  const running = starts.succeed();
  await settle();
  await a.release();
  expect(await a.release()).toBe(false);
  expect(supervisor.peek('new')).toBe(running);
  expect(await b.release()).toBe(true);
  expect(supervisor.peek('new')).toBeUndefined();
});

test('what a job installed stays when its claim is released, and goes with the last uninstall', async () => {
  const claim = supervisor.claim('new');
  void claim.ready({ signal: forever() });
  const running = starts.succeed();
  await settle();
  desired = ['new'];
  expect(await claim.release()).toBe(false);
  expect(supervisor.peek('new')).toBe(running);
  desired = [];
  expect(await supervisor.claim('new').release()).toBe(true);
  await settle();
  expect(running.stopped).toBeDefined();
});

test('a claim taken while the last one is being released keeps the version', async () => {
  const claim = supervisor.claim('new');
  void claim.ready({ signal: forever() });
  const running = starts.succeed();
  await settle();
  const releasing = claim.release();
  const next = supervisor.claim('new');
  expect(await releasing).toBe(false);
  expect(supervisor.peek('new')).toBe(running);
  expect(await next.release()).toBe(true);
});

test('a release that the database does not answer stops nothing; the looks do that later', async () => {
  supervisor.begin();
  const claim = supervisor.claim('new');
  void claim.ready({ signal: forever() });
  const running = starts.succeed();
  await settle();
  asked = new Error('database is gone');
  await expect(claim.release()).rejects.toThrow('database is gone');
  expect(supervisor.peek('new')).toBe(running);
  await vi.advanceTimersByTimeAsync(2 * LOOK_MS);
  expect(running.stopped).toBeDefined();
});

test('closing ends every process and refuses new ones', async () => {
  desired = ['a', 'b'];
  supervisor.begin();
  await settle();
  const processes = starts.calls.map((call, n) => {
    const running = new FakeProcess(n);
    if (n > 0) running.open('a');
    call.outcome.resolve(running);
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

test('after a start what was used last is woken first, a few at a time; who is called jumps the queue, the rest sleeps', async () => {
  policy = testPolicy({ idleMs: 300_000 });
  const now = Date.now();
  desired = ['never known', 'long ago', 'lately', 'just now', 'a minute ago'];
  uses = new Map([
    ['long ago', now - 400_000],
    ['lately', now - 100_000],
    ['just now', now - 1000],
    ['a minute ago', now - 60_000],
  ]);
  supervisor.begin();
  await settle();
  expect(started()).toEqual(['just now', 'a minute ago']);
  const asking = supervisor.ready('long ago', forever());
  await settle();
  expect(started().at(-1)).toBe('long ago');
  expect(starts.calls.map((call) => call.urgency?.urgent)).toEqual([false, false, true]);
  const runtime = starts.succeed();
  expect(await asking).toBe(runtime);
  starts.calls[0]?.outcome.resolve(new FakeProcess(1));
  await settle();
  expect(started().at(-1)).toBe('lately');
  starts.calls[1]?.outcome.reject(new Error('no wheel'));
  await settle();
  expect(started()).toContain('never known');
  expect(supervisor.problems()).toEqual({ 'a minute ago': 'no wheel' });
});

test('two days: idle plugins sleep, a call wakes them, a minimum stays awake, and what sleeps is no problem', async () => {
  const HOUR = 3_600_000;
  policy = testPolicy({ idleMs: 300_000 });
  desired = ['a', 'b'];
  supervisor.begin();
  await settle();
  const alive = new Set<FakeProcess>();
  const succeedAll = async () => {
    for (const call of starts.calls) {
      const process = new FakeProcess();
      alive.add(process);
      void process.ended.then(() => alive.delete(process));
      call.outcome.resolve(process);
      if (call.signal.aborted) alive.delete(process);
    }
    starts.calls.length = 0;
    await settle();
  };
  await succeedAll();
  expect(alive.size).toBe(2);
  for (let hour = 0; hour < 48; hour++) {
    await vi.advanceTimersByTimeAsync(HOUR);
    expect([alive.size, Object.keys(supervisor.problems())]).toEqual([0, []]);
    const asking = supervisor.ready('a', forever());
    await settle();
    await succeedAll();
    const session = (await asking).open('s', silent);
    await vi.advanceTimersByTimeAsync(400_000);
    // An open call keeps it awake however long it takes.
    expect(alive.size).toBe(1);
    session.close();
  }
  policy = testPolicy({ idleMs: 300_000, min: 1 });
  supervisor.policiesChanged();
  await vi.advanceTimersByTimeAsync(1000);
  await succeedAll();
  await vi.advanceTimersByTimeAsync(HOUR);
  expect(alive.size).toBe(2);
}, 240_000);

test('what is uninstalled is forgotten at once, what stops with the daemon is not', async () => {
  desired = ['a', 'b'];
  supervisor.begin();
  await settle();
  for (const call of starts.calls) call.outcome.resolve(new FakeProcess());
  await settle();
  expect([...uses.keys()]).toEqual(['a', 'b']);
  (await supervisor.ready('a', forever())).open('s', silent);
  desired = ['b'];
  // It is not over: a call is open.
  expect(await supervisor.claim('a').release()).toBe(true);
  expect([...uses.keys()]).toEqual(['b']);
  const closing = supervisor.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closing;
  expect([...uses.keys()]).toEqual(['b']);
});

test('too many who wait are told so in their own words', async () => {
  policy = testPolicy({ queue: 1 });
  desired = ['a'];
  void supervisor.ready('a', forever());
  await settle();
  await expect(supervisor.ready('a', forever())).rejects.toMatchObject({ kind: 'overloaded', status: 429 });
  starts.succeed();
  await settle();
});

const silent = { chunk: () => true, flush() {}, invoke() {}, end() {}, fail() {} };
