import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PluginState } from './instance-slot.ts';
import { Pool } from './pool.ts';
import { FakeProcess, FakeStarts, fakeLog } from './testing.ts';

let starts: FakeStarts;
let states: PluginState[];
let pool: Pool;

beforeEach(() => {
  vi.useFakeTimers();
  starts = new FakeStarts();
  states = [];
  pool = new Pool({
    identifier: 'a',
    instances: 3,
    start: (options) => starts.start('a', options),
    drainSeconds: 60,
    log: fakeLog().log,
    onState: (state) => states.push(state),
  });
});

afterEach(async () => {
  await pool.retire(AbortSignal.abort());
  vi.useRealTimers();
});

const forever = () => new AbortController().signal;
const settle = () => vi.advanceTimersByTimeAsync(0);

/** All instances run. */
async function full(): Promise<readonly FakeProcess[]> {
  pool.fill(forever());
  const processes = starts.calls.map((call, n) => {
    const running = new FakeProcess(n);
    call.outcome.resolve(running);
    return running;
  });
  await settle();
  return processes;
}

test('who asks gets the first instance that is ready, while the others start', async () => {
  const asking = pool.ensure(forever());
  expect(starts.calls).toHaveLength(3);
  const second = new FakeProcess(2);
  starts.calls[1]?.outcome.resolve(second);
  expect(await asking).toBe(second);
  expect(pool.pick()).toBe(second);
  expect(states).toEqual(['starting', 'running']);
});

test('a new session goes to the instance with the fewest open ones', async () => {
  const processes = await full();
  const given = Array.from({ length: 7 }, (_, n) => pool.pick()?.open(String(n), silent));
  expect(processes.map((one) => one.load)).toEqual([3, 2, 2]);
  given[1]?.close();
  expect(pool.pick()).toBe(processes[1]);
});

test('one that ends is replaced; the others go on meanwhile', async () => {
  const [first, second, third] = await full();
  first?.die();
  await settle();
  expect([second, third]).toContain(pool.pick());
  expect(pool.state).toBe('running');
  expect(starts.calls).toHaveLength(4);
  const fourth = starts.succeed(new FakeProcess(4));
  await settle();
  second?.open('a');
  third?.open('b');
  expect(pool.pick()).toBe(fourth);
  expect(states).toEqual(['starting', 'running']);
});

test('only when every start has failed the asker is told, with one of the causes', async () => {
  const asking = pool.ensure(forever()).catch((error: Error) => error.message);
  starts.calls[0]?.outcome.reject(new Error('no wheel'));
  await Promise.resolve();
  expect(pool.state).toBe('starting');
  for (const call of starts.calls) call.outcome.reject(new Error('no wheel'));
  expect(await asking).toBe('no wheel');
  expect(states.at(-1)).toBe('waiting');
  expect(pool.problem).toBe('no wheel');
});

test('retiring stops each instance as soon as it has nothing open', async () => {
  const [first, second, third] = await full();
  const session = first?.open('a');
  const retiring = pool.retire();
  expect(pool.pick()).toBeUndefined();
  await settle();
  expect([first?.stopped, second?.stopped, third?.stopped]).toEqual([
    undefined,
    'the plugin was stopped',
    'the plugin was stopped',
  ]);
  session?.close();
  await retiring;
  expect(first?.stopped).toBe('the plugin was stopped');
  expect(pool.state).toBe('stopped');
});

const silent = { chunk: () => true, flush() {}, invoke() {}, end() {}, fail() {} };
