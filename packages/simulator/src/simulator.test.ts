import { describe, expect, test } from 'vitest';
import { Chance, Popularity } from './chance.ts';
import { Clock } from './clock.ts';
import { Cluster } from './cluster.ts';
import { defaults, phases, type SimulationOptions, simulate, table } from './index.ts';

const small = (changes: Partial<SimulationOptions> = {}): SimulationOptions => ({
  ...defaults,
  nodes: 6,
  plugins: 500,
  phaseMs: 45_000,
  ...changes,
});
const only = (...names: string[]) => phases.filter(({ name }) => names.includes(name));
const sum = (values: Iterable<number>): number => [...values].reduce((all, one) => all + one, 0);

describe('the course of events', () => {
  test.each([1, 2, 3])(
    'every call is placed or refused, and every placed one ends or is open still (seed %i)',
    (seed) => {
      const all = simulate(small({ seed }));
      let [came, ended] = [0, 0];
      for (const { counts, pending } of all) {
        came += counts.calls;
        ended += counts.answered + counts.refused + counts.lost;
        expect(came).toBe(ended + pending);
      }
      const total = (what: 'calls' | 'placed' | 'refused') => sum(all.map(({ counts }) => counts[what]));
      expect(total('calls')).toBeGreaterThan(1000);
      // What is on its way to a node at the end is neither yet.
      expect(total('calls') - total('placed') - total('refused')).toBeGreaterThanOrEqual(0);
      expect(total('calls') - total('placed') - total('refused')).toBeLessThanOrEqual(2);
    },
  );

  test('the same seed gives the same table, another one another', () => {
    const drawn = (seed: number) => table(simulate(small({ seed })), defaults.instanceMb);
    const first = drawn(7);
    expect(drawn(7)).toBe(first);
    expect(drawn(8)).not.toBe(first);
  });

  test('a node that leaves moves what it had, and nothing else; no call is lost by that', () => {
    const never = { ...defaults.pool, idleMs: undefined };
    const [, , drained] = simulate(small({ pool: never }), only('start', 'steady', 'drain'));
    expect(drained?.counts.moves).toBeGreaterThan(0);
    expect([...(drained?.movedFrom.keys() ?? [])]).toEqual(['node-0001']);
    expect(drained?.counts.lost).toBe(0);
    expect(drained?.counts.refused).toBe(0);
  });

  test('without a change of who is there nothing moves, and a node that comes moves nothing that runs', () => {
    const never = { ...defaults.pool, idleMs: undefined };
    const figures = simulate(small({ pool: never }), only('start', 'steady', 'join'));
    expect(figures.map(({ counts }) => counts.moves)).toEqual([0, 0, 0]);
    expect(figures.at(-1)?.nodes).toBe(7);
  });

  test('a crash loses calls and is known after a lease', () => {
    const [, crashed] = simulate(small(), only('start', 'crash'));
    expect(crashed?.counts.lost).toBeGreaterThan(0);
    expect(crashed?.counts.failedHops).toBeGreaterThan(0);
    expect(crashed?.agreeMs).toBeGreaterThan(3000);
  });

  test('nodes that do not reach each other hand nothing over, and start themselves what they need', () => {
    const [, split] = simulate(small(), only('start', 'split'));
    expect(split?.counts.failedHops).toBeGreaterThan(0);
    expect(split?.counts.spreads).toBeGreaterThan(0);
    expect(split?.counts.refused).toBe(0);
  });

  test('one node alone hands nothing over', () => {
    const all = simulate(small({ nodes: 1 }), only('start', 'steady'));
    expect(sum(all.map(({ counts }) => counts.forwarded))).toBe(0);
    expect(sum(all.map(({ counts }) => counts.placed))).toBeGreaterThan(0);
  });

  test('when no node is left all calls are refused', () => {
    const cluster = new Cluster(small({ nodes: 2 }));
    cluster.clock.runUntil(10_000);
    for (const node of cluster.nodes) cluster.crash(node);
    cluster.happened.take();
    cluster.clock.runUntil(20_000);
    const { counts } = cluster.happened.take();
    expect(counts.calls).toBeGreaterThan(0);
    expect(counts).toMatchObject({ refused: counts.calls, placed: 0, answered: 0 });
    expect(cluster.pending).toBe(0);
  });

  test('a plugin that is called more than a node bears runs on several', () => {
    const busy = small({ plugins: 1, cores: 1, callsPerNode: 20 });
    const [, steady] = simulate(busy, only('start', 'steady'));
    expect(steady?.load.least).toBeGreaterThan(0.5);
    expect(steady?.processes.mean).toBeGreaterThan(0.9);
  });

  test('who is cut off from Redis is forgotten after a lease, and known again', () => {
    const cluster = new Cluster(small());
    cluster.clock.runUntil(20_000);
    expect(cluster.agrees).toBe(true);
    cluster.network.cut('redis', ['node-0001']);
    expect(cluster.agrees).toBe(false);
    cluster.clock.runUntil(30_000);
    expect(cluster.agrees).toBe(true);
    expect(cluster.directory.ids).not.toContain('node-0001');
    cluster.network.heal();
    expect(cluster.agrees).toBe(false);
    cluster.clock.runUntil(50_000);
    expect(cluster.agrees).toBe(true);
    expect(cluster.directory.ids).toContain('node-0001');
  });
});

describe('what the model is made of', () => {
  test('time goes in order, equal times in the order of asking, and what is cancelled does not happen', () => {
    const clock = new Clock();
    const chance = new Chance(3);
    const times: number[] = [];
    for (let n = 0; n < 500; n++) clock.after(chance.below(100), () => times.push(clock.now));
    const never = clock.after(50, () => times.push(-1));
    never();
    clock.runUntil(100);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(times).toHaveLength(500);
    const order: number[] = [];
    for (let n = 0; n < 10; n++) clock.after(5, () => order.push(n));
    const stop = clock.every(10, () => order.push(100));
    clock.runUntil(121);
    stop();
    clock.runUntil(1000);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 100]);
  });

  test('popularity is skewed as the law says', () => {
    const chance = new Chance(1);
    const popularity = new Popularity(1000, 1);
    const drawn = Array.from({ length: 20_000 }, () => popularity.draw(chance));
    const count = (wanted: number) => drawn.filter((one) => one === wanted).length;
    expect(count(0) / count(9)).toBeGreaterThan(7);
    expect(count(0) / count(9)).toBeLessThan(14);
    expect(Math.max(...drawn)).toBeLessThan(1000);
    expect(Math.min(...drawn)).toBe(0);
  });
});
