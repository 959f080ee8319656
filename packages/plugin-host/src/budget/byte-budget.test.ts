import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteBudget } from './byte-budget.ts';

const never = new AbortController().signal;

test('uploads over the budget wait in order and get in when bytes come back', async () => {
  const budget = new ByteBudget({ what: 'uploads', total: 100 });
  const first = await budget.acquire(60, never);
  const order: string[] = [];
  const admitted = async (name: string, bytes: number): Promise<() => void> => {
    const release = await budget.acquire(bytes, never);
    order.push(name);
    return release;
  };
  const second = admitted('second', 60);
  const third = admitted('third', 10);
  await Promise.resolve();
  expect(order).toEqual([]);
  first();
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['second', 'third']);
  expect(budget.used).toBe(0);
});

test('an upload larger than the whole budget runs alone', async () => {
  const budget = new ByteBudget({ what: 'uploads', total: 100 });
  const release = await budget.acquire(500, never);
  expect(budget.used).toBe(500);
  release();
});

test('one that gives up waiting makes room for those behind it', async () => {
  const budget = new ByteBudget({ what: 'uploads', total: 100 });
  const first = await budget.acquire(90, never);
  const impatient = new AbortController();
  const second = budget.acquire(50, impatient.signal);
  const third = budget.acquire(10, never);
  impatient.abort(new Error('left'));
  await expect(second).rejects.toThrow('left');
  (await third)();
  first();
  expect(budget.used).toBe(0);
});

test('who has used up its own share waits without holding up others', async () => {
  const budget = new ByteBudget({ what: 'bodies', total: 100, perOwner: 30 });
  const first = await budget.acquire(30, never, 'a');
  const second = budget.acquire(20, never, 'a');
  const other = await budget.acquire(30, never, 'b');
  expect([budget.usedBy('a'), budget.usedBy('b'), budget.waiting]).toEqual([30, 30, 1]);
  first();
  (await second)();
  other();
  expect([budget.used, budget.waiting]).toEqual([0, 0]);
});

test('nobody overtakes one that waits for the total', async () => {
  const budget = new ByteBudget({ what: 'bodies', total: 100 });
  const first = await budget.acquire(80, never, 'a');
  const large = budget.acquire(60, never, 'b');
  const small = budget.acquire(10, never, 'c');
  await Promise.resolve();
  expect(budget.used).toBe(80);
  first();
  (await large)();
  (await small)();
  expect(budget.used).toBe(0);
});

test('a room grows until a limit, which it names, and keeps what it had', () => {
  const budget = new ByteBudget({ what: 'unfinished lines', total: 100, perOwner: 60, setting: 'LINES' });
  const room = budget.room('a');
  expect(room.grow(60)).toBeUndefined();
  expect(room.grow(1)).toMatchObject({ limitOf: 'owner', limitBytes: 60 });
  expect(room.held).toBe(60);
  const other = budget.room('b');
  expect(other.grow(30)).toBeUndefined();
  const exceeded = other.grow(20);
  expect(exceeded).toMatchObject({ limitOf: 'all', limitBytes: 100 });
  room.shrink(20);
  expect(other.grow(20)).toBeUndefined();
  room.release();
  room.release();
  expect([room.held, budget.used, budget.usedBy('a')]).toEqual([0, 50, 0]);
  expect(room.grow(10)).toBeUndefined();
  if (exceeded === undefined) throw new Error('there was room');
  expect(budget.refusal('this line', exceeded)).toMatchObject({
    kind: 'over-budget',
    status: 503,
    wireMessage:
      'there is no room for this line: unfinished lines of all together may hold 100 bytes (LINES). Try again later, or raise LINES',
    args: { limit_bytes: 100, setting: 'LINES' },
  });
});

test('a room that gives way lets those in who wait', async () => {
  const budget = new ByteBudget({ what: 'bodies', total: 100 });
  const room = budget.room('a');
  room.grow(90);
  const waiting = budget.acquire(50, never, 'b');
  room.shrink(45);
  (await waiting)();
  room.release();
  expect(budget.used).toBe(0);
});

test('whatever comes and goes, no limit is passed, nobody is forgotten, and all is given back', async () => {
  const steps = fc.array(
    fc.record({
      owner: fc.constantFrom('', 'a', 'b'),
      bytes: fc.nat(50),
      kind: fc.constantFrom('wait', 'grow', 'end', 'abort'),
    }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const budget = new ByteBudget({ what: 'x', total: 100, perOwner: 60 });
      const releases: (() => void)[] = [];
      const waits: { leaving: AbortController; end: Promise<void> }[] = [];
      for (const { owner, bytes, kind } of list) {
        if (kind === 'wait') {
          const leaving = new AbortController();
          const end = budget.acquire(bytes, leaving.signal, owner).then(
            (release) => void releases.push(release),
            () => undefined,
          );
          waits.push({ leaving, end });
        } else if (kind === 'grow') {
          const room = budget.room(owner);
          room.grow(bytes);
          releases.push(() => room.release());
        } else if (kind === 'end') releases.shift()?.();
        else waits.shift()?.leaving.abort(new Error('left'));
        await Promise.resolve();
        expect(budget.used).toBeLessThanOrEqual(100);
        for (const named of ['a', 'b']) expect(budget.usedBy(named)).toBeLessThanOrEqual(60);
      }
      for (let turn = 0; turn < 200; turn++) {
        for (const release of releases.splice(0)) release();
        await Promise.resolve();
      }
      await Promise.all(waits.map(({ end }) => end));
      expect([budget.used, budget.waiting, budget.usedBy('a'), budget.usedBy('')]).toEqual([0, 0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});
