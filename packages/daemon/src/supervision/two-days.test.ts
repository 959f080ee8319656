/**
 * Two days of a node with many plugins, on a clock that a test drives: calls that come and go, clients that leave before they are served, nights,
 * processes that die or are stuck, starts that take long or fail, an upgrade every hour. What is left over when all is quiet shows what was
 * forgotten in between.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LocalSupervisor } from './local-supervisor.ts';
import { FakeProcess, fakeLog, testPolicy } from './testing.ts';

const HOUR_MS = 3_600_000;
const DAYS = 2;
const PLUGINS = 30;
const IDLE_MS = 5 * 60_000;
const STEP_MS = 20_000;
const SLOW_START_MS = 15_000;
const MOST_INSTANCES = 3;

let living: Set<FakeProcess>;
let ever: number;
let desired: string[];
let uses: Map<string, number>;
let retired: string[];
let supervisor: LocalSupervisor;

/** The same days in every run. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  living = new Set();
  ever = 0;
  uses = new Map();
  retired = [];
  desired = Array.from({ length: PLUGINS }, (_, n) => `plugin-${n}:1`);
});

afterEach(() => vi.useRealTimers());

/** @throws the signal's reason */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    }, ms);
    const giveUp = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
  });
}

function begin(chance: () => number): void {
  supervisor = new LocalSupervisor({
    start: async (_, { signal }) => {
      signal.throwIfAborted();
      if (chance() < 0.02) throw new Error('it did not start');
      if (chance() < 0.3) await pause(chance() * SLOW_START_MS, signal);
      const one = new FakeProcess(++ever);
      living.add(one);
      void one.ended.then(() => living.delete(one));
      return one;
    },
    desired: async () => desired,
    isDesired: async (identifier) => desired.includes(identifier),
    policyOf: () => testPolicy({ max: MOST_INSTANCES, target: 1, idleMs: IDLE_MS }),
    recentUse: {
      lastUse: (identifier) => uses.get(identifier),
      used: (identifier, at) => void uses.set(identifier, at),
      forget: (identifier) => void uses.delete(identifier),
      save: async () => undefined,
    },
    drainSeconds: 60,
    lookEveryMs: 30_000,
    log: fakeLog().log,
    onState: () => undefined,
    onRetired: async (identifier) => void retired.push(identifier),
  });
  supervisor.begin();
}

test('after two days nothing runs that nobody needs, and nothing is kept of what is gone', {
  timeout: 240_000,
}, async () => {
  const chance = chances(7);
  begin(chance);
  const open = new Set<{ end: () => void; until: number }>();
  const outcomes = { answered: 0, refused: 0, left: 0 };
  let waiting = 0;
  const call = async (identifier: string, patienceMs = HOUR_MS): Promise<void> => {
    const client = new AbortController();
    const leaves = setTimeout(() => client.abort(new Error('the client has left')), patienceMs);
    waiting++;
    try {
      const instance = await supervisor.ready(identifier, client.signal);
      const session = instance.open(`${outcomes.answered++}`, {
        chunk: () => true,
        flush() {},
        invoke() {},
        end() {},
        fail() {},
      });
      open.add({ end: () => session.close(), until: Date.now() + chance() * 120_000 });
    } catch {
      if (client.signal.aborted) outcomes.left++;
      else outcomes.refused++;
    } finally {
      waiting--;
      clearTimeout(leaves);
    }
  };
  let most = 0;
  let upgrades = 0;
  let stuck = 0;
  const nights: number[] = [];
  let hour = Math.floor(Date.now() / HOUR_MS);
  const end = Date.now() + DAYS * 24 * HOUR_MS;
  while (Date.now() < end) {
    const time = (Date.now() / HOUR_MS) % 24;
    const calls = time > 9 && time < 10 ? 0.9 : time > 8 ? 0.3 : time < 5 && time > 2 ? 0 : 0.01;
    if (chance() < calls) {
      const patience = chance() < 0.1 ? 1 + chance() * 5000 : HOUR_MS;
      void call(desired[Math.floor(chance() * chance() * desired.length)] ?? '', patience);
    }
    if (chance() < 0.002) [...living][Math.floor(chance() * living.size)]?.die('killed by the system');
    if (chance() < 0.002) {
      const one = [...living][Math.floor(chance() * living.size)];
      one?.listener?.stuck('it has not been heard of');
      stuck += Number(one !== undefined);
    }
    if (Math.floor(Date.now() / HOUR_MS) > hour) {
      hour++;
      if (hour % 24 === 5) nights.push(living.size);
      const at = Math.floor(chance() * desired.length);
      desired = desired.with(at, `${desired[at]?.split(':')[0]}:${++upgrades + 1}`);
      supervisor.lookSoon();
    }
    await vi.advanceTimersByTimeAsync(STEP_MS);
    for (const one of open) {
      if (one.until > Date.now()) continue;
      open.delete(one);
      one.end();
    }
    most = Math.max(most, living.size);
  }
  for (const one of open) one.end();
  await vi.advanceTimersByTimeAsync(HOUR_MS);

  expect(outcomes.answered).toBeGreaterThan(1000);
  expect(outcomes.left).toBeGreaterThan(3);
  expect(most).toBeGreaterThan(3);
  expect(most).toBeLessThan(PLUGINS * MOST_INSTANCES);
  expect(upgrades).toBeGreaterThanOrEqual(24 * DAYS - 1);
  expect(stuck).toBeGreaterThan(1);
  // Nobody calls between two and five.
  expect(nights).toEqual(Array(DAYS).fill(0));
  expect(waiting).toBe(0);
  // All of it sleeps; only what is installed is known.
  expect([...living]).toEqual([]);
  expect(supervisor.identifiers.toSorted()).toEqual(desired.toSorted());
  expect(
    supervisor.pools().filter(({ instances, open_calls, waiting_calls }) => instances + open_calls + waiting_calls > 0),
  ).toEqual([]);
  expect(retired).toHaveLength(upgrades);
  expect([...uses.keys()].filter((one) => !desired.includes(one))).toEqual([]);
  // A call in the morning of the third day is answered.
  await call(desired[0] ?? '');
  expect(living.size).toBe(1);
  for (const one of open) one.end();
  const closed = supervisor.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closed;
  expect([...living]).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
