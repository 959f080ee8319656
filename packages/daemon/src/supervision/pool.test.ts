import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PluginState } from './instance-slot.ts';
import { Pool } from './pool.ts';
import { FakeProcess, FakeStarts, fakeLog, testPolicy } from './testing.ts';

let starts: FakeStarts;
let states: PluginState[];
let pool: Pool;
let restarts: number;

beforeEach(() => {
  vi.useFakeTimers();
  starts = new FakeStarts();
  states = [];
  restarts = 0;
});

afterEach(async () => {
  await pool.retire(AbortSignal.abort());
  vi.useRealTimers();
});

const forever = () => new AbortController().signal;
const settle = () => vi.advanceTimersByTimeAsync(0);
const silent = { chunk: () => true, flush() {}, invoke() {}, end() {}, fail() {} };

function make(changes: Parameters<typeof testPolicy>[0] = {}): Pool {
  pool = new Pool({
    identifier: 'a',
    policy: testPolicy(changes),
    start: (options) => starts.start('a', options),
    drainSeconds: 60,
    log: fakeLog().log,
    onState: (state) => states.push(state),
    onRestarted: () => restarts++,
  });
  return pool;
}

/** Lets what starts come up. */
async function up(): Promise<readonly FakeProcess[]> {
  const processes = starts.calls.map((call, n) => {
    const running = new FakeProcess(n);
    call.outcome.resolve(running);
    return running;
  });
  starts.calls.length = 0;
  await settle();
  return processes;
}

/** Seconds go by. */
async function pass(seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    await vi.advanceTimersByTimeAsync(1000);
    pool.tick();
  }
}

/** A call that is opened as soon as it gets an instance. */
function call(id: string, signal = forever()) {
  const given = pool.acquire(signal).then((instance) => ({ instance, session: instance.open(id, silent) }));
  given.catch(() => undefined);
  return given;
}

test('a call wakes it, and all who wait go through in the order in which they came', async () => {
  make();
  expect([pool.pick(), pool.state]).toEqual([undefined, 'asleep']);
  const order: number[] = [];
  const calls = [0, 1, 2].map((n) => call(String(n)).then(() => order.push(n)));
  expect(starts.calls.map((one) => one.urgency?.urgent)).toEqual([true]);
  await up();
  await Promise.all(calls);
  expect(order).toEqual([0, 1, 2]);
  expect(states).toEqual(['starting', 'running']);
});

test('who leaves while waiting gives up its place; the start goes on for the others', async () => {
  make();
  const left = new AbortController();
  const leaving = call('a', left.signal);
  const staying = call('b');
  left.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  const [running] = await up();
  expect((await staying).instance).toBe(running);
  expect(running?.load).toBe(1);
});

test('eight calls at once with two instances: four each', async () => {
  make({ max: 2 });
  const calls = Array.from({ length: 8 }, (_, n) => call(String(n)));
  expect(starts.calls).toHaveLength(2);
  const processes = await up();
  await Promise.all(calls);
  expect(processes.map((one) => one.load)).toEqual([4, 4]);
});

test('a call beyond what an instance is meant to bear waits for another one, and goes there', async () => {
  make({ max: 2 });
  const first = Array.from({ length: 4 }, (_, n) => call(String(n)));
  const [one] = await up();
  await Promise.all(first);
  const fifth = call('4');
  await settle();
  expect(starts.calls).toHaveLength(1);
  const [two] = await up();
  expect((await fifth).instance).toBe(two);
  expect([one?.load, two?.load]).toEqual([4, 1]);
});

test('it does not wait for ever: another one that comes up slowly is not waited for, nor one that fails', async () => {
  make({ max: 2 });
  const first = Array.from({ length: 4 }, (_, n) => call(String(n)));
  const [one] = await up();
  await Promise.all(first);
  const fifth = call('4');
  await vi.advanceTimersByTimeAsync(2000);
  expect((await fifth).instance).toBe(one);
  const sixth = call('5');
  starts.fail(new Error('no memory'));
  expect((await sixth).instance).toBe(one);
  expect([pool.state, pool.instances]).toEqual(['running', 1]);
  // For a while nobody waits for what failed.
  expect(pool.pick()).toBe(one);
});

test('a call that waits gets the room of one that ends', async () => {
  make({ max: 1, limit: 2 });
  const calls = [call('0'), call('1'), call('2')];
  const [one] = await up();
  const { session } = await (calls[0] ?? Promise.reject());
  await calls[1];
  expect([one?.load, pool.waiting, pool.pick()]).toEqual([2, 1, undefined]);
  session.close();
  expect((await calls[2])?.instance).toBe(one);
  expect(one?.load).toBe(2);
});

test('more than may wait are refused, with limit and remedy, in the words Dify takes as "try again"', async () => {
  make({ limit: 1, queue: 2 });
  const calls = [call('0')];
  await up();
  await calls[0];
  calls.push(call('1'), call('2'));
  await expect(pool.acquire(forever())).rejects.toMatchObject({
    kind: 'overloaded',
    status: 429,
    message: expect.stringMatching(/^no available node: .* 1 instances .* up to 1 calls .* 2 calls wait$/),
    remedy: expect.stringContaining('PLUGIN_QUEUE_MAX'),
    args: { limit: 2, setting: 'PLUGIN_QUEUE_MAX' },
  });
  expect(pool.waiting).toBe(2);
});

test('a new call goes to the instance with the fewest open ones', async () => {
  make({ min: 3, max: 3, target: 10 });
  pool.tick();
  const processes = await up();
  const given = Array.from({ length: 7 }, (_, n) => pool.pick()?.open(String(n), silent));
  expect(processes.map((one) => one.load).toSorted()).toEqual([2, 2, 3]);
  const busiest = processes.find((one) => one.load === 3);
  for (const session of given) session?.close();
  busiest?.open('x');
  expect(pool.pick()).not.toBe(busiest);
});

test('one that ends is replaced; the others go on meanwhile', async () => {
  make({ min: 3, max: 3 });
  pool.tick();
  const [first, second, third] = await up();
  first?.die();
  expect([second, third]).toContain(pool.pick());
  await settle();
  expect(pool.state).toBe('running');
  expect(starts.calls).toHaveLength(1);
  expect(restarts).toBe(0);
  const [fourth] = await up();
  expect(restarts, 'although the whole never stopped running').toBe(1);
  second?.open('a');
  third?.open('b');
  expect(pool.pick()).toBe(fourth);
});

test('an instance whose process has ended gets no call, though nobody was told yet', async () => {
  make();
  const first = call('a');
  const [one] = await up();
  (await first).session.close();
  one?.die();
  expect(pool.pick()).toBeUndefined();
  const next = call('b');
  await settle();
  const [two] = await up();
  expect((await next).instance).toBe(two);
});

test('only when every start has failed those who wait are told, with the cause', async () => {
  make({ max: 3, target: 1 });
  const calls = [call('a'), call('b'), call('c')].map((one) => one.catch((error: Error) => error.message));
  expect(starts.calls).toHaveLength(3);
  starts.calls[0]?.outcome.reject(new Error('no wheel'));
  await settle();
  expect([pool.state, pool.waiting]).toEqual(['starting', 3]);
  for (const one of starts.calls) one.outcome.reject(new Error('no wheel'));
  expect(await Promise.all(calls)).toEqual(['no wheel', 'no wheel', 'no wheel']);
  expect([pool.state, pool.problem]).toEqual(['waiting', 'no wheel']);
});

test('idle ones stop, the last one too; open calls keep theirs', async () => {
  make({ max: 2, idleMs: 120_000 });
  const calls = Array.from({ length: 8 }, (_, n) => call(String(n)));
  const processes = await up();
  const open = await Promise.all(calls);
  await pass(200);
  expect(pool.instances).toBe(2);
  for (const { session } of open.slice(1)) session.close();
  await pass(70);
  expect(processes.filter((one) => one.stopped === undefined)).toHaveLength(1);
  await pass(200);
  expect(pool.state).toBe('running');
  open[0]?.session.close();
  await pass(125);
  expect(processes.map((one) => one.stopped)).toEqual(['the plugin was stopped', 'the plugin was stopped']);
  expect([pool.state, pool.instances]).toEqual(['asleep', 0]);
  void call('again');
  await up();
  expect(restarts, 'waking up is none').toBe(0);
});

test('a call that comes while the last one stops wakes it anew', async () => {
  make({ idleMs: 10_000 });
  const [first] = [call('a')];
  const [one] = await up();
  (await first)?.session.close();
  await pass(11);
  const second = call('b');
  await settle();
  const [two] = await up();
  expect((await second).instance).toBe(two);
  expect(one?.stopped).toBeDefined();
});

test('calls that take twice as long the more of them there are get another instance', async () => {
  make({ max: 2, target: 4 });
  const calls = [call('0'), call('1'), call('2')];
  const [one] = await up();
  await Promise.all(calls);
  one?.listener?.answered('tool', 10);
  await pass(70);
  expect(pool.instances).toBe(1);
  for (let n = 0; n < 50; n++) one?.listener?.answered('tool', 40);
  await pass(70);
  expect(pool.instances).toBe(2);
});

test('one that is stuck gets no more calls, is replaced, and then may finish what it has', async () => {
  make();
  const first = call('a');
  const [one] = await up();
  const { session } = await first;
  one?.listener?.stuck('it has not been heard of for 60 s');
  expect(pool.pick()).toBeUndefined();
  const second = call('b');
  one?.listener?.stuck('it has not been heard of for 90 s');
  pool.tick();
  expect(starts.calls).toHaveLength(1);
  expect(one?.stopped).toBeUndefined();
  const [two] = await up();
  expect((await second).instance).toBe(two);
  await settle();
  expect(restarts).toBe(1);
  expect([one?.load, one?.stopped]).toEqual([1, undefined]);
  session.close();
  await settle();
  expect(one?.stopped).toBeDefined();
  expect(pool.instances).toBe(1);
});

test('one that is stuck stays when it cannot be replaced', async () => {
  make();
  const first = call('a');
  const [one] = await up();
  await first;
  one?.listener?.stuck('it says nothing');
  const second = call('b');
  starts.fail(new Error('no memory'));
  await settle();
  expect((await second).instance).toBe(one);
  expect(one?.stopped).toBeUndefined();
  expect(restarts).toBe(0);
});

test('retiring stops each instance as soon as it has nothing open, and refuses who waits', async () => {
  make({ min: 3, max: 3, limit: 1 });
  pool.tick();
  const [first, second, third] = await up();
  const sessions = [first, second, third].map((one, n) => one?.open(String(n)));
  const waiting = call('waits').catch((error: Error) => error.message);
  sessions[1]?.close();
  sessions[2]?.close();
  await settle();
  const late = pool.acquire(forever());
  const retiring = pool.retire();
  await Promise.allSettled([late]);
  expect(pool.pick()).toBeUndefined();
  await settle();
  expect(first?.stopped).toBeUndefined();
  expect([second?.stopped, third?.stopped]).toContain('the plugin was stopped');
  sessions[0]?.close();
  for (const one of [second, third]) one?.die();
  await retiring;
  await waiting;
  expect(first?.stopped).toBe('the plugin was stopped');
  expect(pool.state).toBe('stopped');
  await expect(pool.acquire(forever())).rejects.toMatchObject({ kind: 'runtime-unavailable' });
});
