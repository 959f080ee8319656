import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BUSY_CALLS_PER_CORE,
  type Candidate,
  type Choice,
  chooseHomes,
  chooseNode,
  pinnedTo,
  spreadTo,
} from './index.ts';

const at = (id: string, over: Partial<Candidate> = {}): Candidate => ({ id, load: 0, cores: 1, warm: false, ...over });
const choose = (candidates: readonly Candidate[], over: Partial<Choice> = {}) =>
  chooseNode({ rule: 'demand', identifier: 'a/b:1@x', candidates, self: 'self', maxNodes: 0, random: () => 0, ...over })
    ?.id;
const BUSY = BUSY_CALLS_PER_CORE;

test('who has it ready and is not busy keeps it', () => {
  expect(choose([at('self', { warm: true, load: 3 }), at('b', { warm: true })])).toBe('self');
  expect(choose([at('self'), at('b', { warm: true, load: 3 })])).toBe('b');
});

test('of two that have it ready the less loaded one, by cores', () => {
  expect(choose([at('b', { warm: true, load: 8, cores: 8 }), at('c', { warm: true, load: 2 })])).toBe('b');
});

test('busy ones make it spread, as far as it may', () => {
  const all = [at('self', { warm: true, load: BUSY }), at('b')];
  expect(choose(all)).toBe('b');
  expect(choose(all, { maxNodes: 1 })).toBe('self');
});

test('who has more than its share is busy before it is full, where others have room', () => {
  const idle = ['b', 'c', 'd', 'e'].map((id) => at(id));
  // Little is not worth a start, however idle the others are.
  expect(choose([at('self', { warm: true, load: 3 }), ...idle])).toBe('self');
  expect(choose([at('self', { warm: true, load: 6 }), at('f', { warm: true, load: 3 }), ...idle])).toBe('f');
  // Everybody has that much.
  const alike = ['b', 'c', 'd', 'e'].map((id) => at(id, { load: 5 }));
  expect(choose([at('self', { warm: true, load: 6 }), at('f', { warm: true }), ...alike])).toBe('self');
  // Nobody waits for a start while somebody has it who is not full.
  expect(choose([at('self', { warm: true, load: BUSY - 1 }), ...idle])).toBe('self');
});

test('who has more than its share has another node made ready, before it is full and while nobody else has room', () => {
  const spread = (candidates: readonly Candidate[], over: Partial<Choice> = {}) =>
    spreadTo({ rule: 'demand', identifier: 'a/b:1@x', candidates, self: 'self', maxNodes: 0, ...over })?.id;
  const idle = ['b', 'c', 'd', 'e'].map((id) => at(id));
  const busy = at('self', { warm: true, load: 6 });
  const place = choose(idle);
  expect(spread([busy, ...idle])).toBe(place);
  expect(spread([at('self', { warm: true, load: 3 }), ...idle])).toBeUndefined();
  expect(spread([busy, at('f', { warm: true }), ...idle])).toBeUndefined();
  expect(spread([busy, ...idle], { maxNodes: 1 })).toBeUndefined();
  expect(spread([busy, ...idle], { rule: 'every' })).toBeUndefined();
  expect(spread([busy])).toBeUndefined();
  // It is for those that have it to ask.
  expect(spread([at('self', { load: 6 }), at('f', { warm: true, load: 6 }), ...idle])).toBeUndefined();
});

test('the homes of a version are where its calls go: those that have it, then the places of its order', () => {
  const homes = (candidates: readonly Candidate[], wanted: number, over: Partial<Choice> = {}) =>
    chooseHomes({ rule: 'demand', identifier: 'a/b:1@x', candidates, self: 'self', maxNodes: 0, ...over }, wanted).map(
      ({ id }) => id,
    );
  const cold = ['self', 'b', 'c', 'd'].map((id) => at(id));
  expect(homes(cold, 1)).toEqual([choose(cold)]);
  expect(homes(cold, 9)).toHaveLength(4);
  expect(homes(cold, 9, { maxNodes: 2 })).toHaveLength(2);
  expect(homes(cold, 9, { maxNodes: 2, rule: 'every' })).toHaveLength(4);
  expect(homes(cold, 2, { rule: 'every' })[0]).toBe('self');
  expect(homes([...cold, at('e', { warm: true, load: 9 }), at('f', { warm: true })], 2)).toEqual(['f', 'e']);
  expect(homes([at('b', { warm: true }), at('self', { warm: true, load: 9 })], 1)).toEqual(['self']);
  expect(homes([], 3)).toEqual([]);
});

test('where every node runs it, it stays where it came, unless only others are ready', () => {
  expect(choose([at('self'), at('b')], { rule: 'every' })).toBe('self');
  expect(choose([at('self'), at('b', { warm: true })], { rule: 'every' })).toBe('b');
  expect(choose([at('self', { warm: true, load: BUSY }), at('b', { warm: true, load: BUSY })], { rule: 'every' })).toBe(
    'self',
  );
});

test('nodes that ask at the same time start a plugin in the same place', () => {
  const candidates = ['a', 'b', 'c', 'd', 'e'].map((id) => at(id));
  for (let n = 0; n < 50; n++) {
    const identifier = `a/p${n}:1@x`;
    const answers = candidates.map(({ id }) => choose(candidates, { self: id, identifier, random: Math.random }));
    expect(new Set(answers).size).toBe(1);
  }
});

test('plugins are shared out evenly', () => {
  const counts = new Map<string, number>();
  const candidates = Array.from({ length: 10 }, (_, n) => at(`0192f0c1-0000-7000-8000-00000000000${n}`));
  for (let n = 0; n < 5000; n++) {
    const id = choose(candidates, { identifier: `author/plugin_${n}:0.0.1@abc` }) ?? '';
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const { id } of candidates) expect(counts.get(id)).toBeGreaterThan(350);
  expect(Math.max(...counts.values())).toBeLessThan(650);
});

test('somebody is chosen whenever there is somebody, and always one of those', () => {
  const candidate = fc.record({
    id: fc.constantFrom('self', 'b', 'c', 'd'),
    load: fc.nat(1000),
    cores: fc.integer({ min: 1, max: 64 }),
    warm: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(candidate, { selector: ({ id }) => id }),
      fc.constantFrom('every' as const, 'demand' as const, 'pinned' as const),
      fc.nat(3),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (candidates, rule, maxNodes, chance) => {
        const chosen = choose(candidates, { rule, maxNodes, random: () => chance });
        if (candidates.length === 0) expect(chosen).toBeUndefined();
        else expect(candidates.map(({ id }) => id)).toContain(chosen);
      },
    ),
  );
});

test('pins name a plugin, or all others', () => {
  const pins = ['a/b=n1', 'a/b=n2', '*=n3'];
  expect([...(pinnedTo(pins, 'a/b') ?? [])]).toEqual(['n1', 'n2']);
  expect([...(pinnedTo(pins, 'a/bc') ?? [])]).toEqual(['n3']);
  expect(pinnedTo(['a/b=n1'], 'a/c')).toBeUndefined();
});
