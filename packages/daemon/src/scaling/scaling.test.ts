import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Autoscaler, LatencyTrend, LoadWindow, leastLoaded, type ScalingRule, twoChoices } from './index.ts';

const SECOND = 1000;
const rule = (changes: Partial<ScalingRule> = {}): ScalingRule => ({
  min: 0,
  max: 8,
  target: 4,
  idleMs: 300 * SECOND,
  ...changes,
});

/** Asks once a second, and lets what is wanted come true at once. */
class Simulation {
  now = 0;
  instances: number;
  readonly scaler: Autoscaler;

  constructor(changes: Partial<ScalingRule> = {}, instances = 0) {
    this.scaler = new Autoscaler(rule(changes));
    this.instances = instances;
  }

  run(seconds: number, load: { open?: number; waiting?: number; slowdown?: number } = {}): number {
    for (let n = 0; n < seconds; n++) {
      this.now += SECOND;
      this.instances = this.scaler.decide(this.now, { open: 0, waiting: 0, ...load, instances: this.instances });
    }
    return this.instances;
  }
}

describe('the number of instances', () => {
  test('a call that waits wants an instance at once, and as many as all who wait need', () => {
    expect(new Simulation().run(1, { waiting: 1 })).toBe(1);
    expect(new Simulation().run(1, { waiting: 9 })).toBe(3);
    expect(new Simulation({}, 1).run(1, { open: 4, waiting: 4 })).toBe(2);
  });

  test('a load that stays is met by its average over the target', () => {
    expect(new Simulation().run(120, { open: 11 })).toBe(3);
    expect(new Simulation().run(120, { open: 4 })).toBe(1);
  });

  test('a short window that wants twice of what there is counts at once, and holds for a stable window', () => {
    const simulation = new Simulation({}, 1);
    simulation.run(120, { open: 2 });
    expect(simulation.run(7, { open: 16 })).toBe(4);
    expect(simulation.run(50, { open: 1 })).toBe(4);
    expect(simulation.run(70, { open: 1 })).toBe(1);
  });

  test('a load that grows slowly is no burst', () => {
    const simulation = new Simulation({}, 2);
    simulation.run(120, { open: 8 });
    simulation.run(4, { open: 9 });
    // Of the stable window only these seconds were above the target.
    expect(simulation.instances).toBe(3);
    expect(simulation.run(120, { open: 8 })).toBe(2);
  });

  test('without calls one stays until the idle time is over, then none', () => {
    const simulation = new Simulation();
    simulation.run(10, { open: 1 });
    expect(simulation.run(299)).toBe(1);
    expect(simulation.run(2)).toBe(0);
    expect(simulation.run(1000)).toBe(0);
    expect(simulation.run(1, { waiting: 1 })).toBe(1);
  });

  test('calls that come and go between two questions keep it awake', () => {
    const simulation = new Simulation({}, 1);
    for (let n = 0; n < 20; n++) {
      simulation.run(200);
      simulation.scaler.used(simulation.now);
    }
    expect(simulation.instances).toBe(1);
  });

  test('an idle time shorter than the windows is kept nevertheless', () => {
    const simulation = new Simulation({ idleMs: 5 * SECOND });
    expect(simulation.run(3, { waiting: 8 })).toBe(2);
    expect(simulation.run(6)).toBe(0);
  });

  test('without an idle time one stays for ever, with a minimum that many', () => {
    const awake = new Simulation({ idleMs: undefined }, 3);
    expect(awake.run(86_400)).toBe(1);
    expect(new Simulation({ min: 2 }).run(1)).toBe(2);
    expect(new Simulation({ min: 2 }, 2).run(1000)).toBe(2);
  });

  test('calls that get in each other’s way want more instances, calls that are slow by nature do not', () => {
    expect(new Simulation({}, 1).run(120, { open: 3, slowdown: 3 })).toBe(3);
    expect(new Simulation({}, 1).run(120, { open: 3, slowdown: 1.4 })).toBe(1);
    expect(new Simulation({}, 1).run(120, { open: 1, slowdown: 50 })).toBe(1);
  });

  const seconds = fc.array(
    fc.record({
      open: fc.nat(100),
      waiting: fc.nat(100),
      slowdown: fc.double({ min: 1, max: 100, noNaN: true }),
      pause: fc.nat(200),
    }),
    { maxLength: 60 },
  );
  const rules = fc
    .record({ min: fc.nat(5), more: fc.nat(20), target: fc.integer({ min: 1, max: 50 }), idle: fc.nat(600) })
    .map(({ min, more, target, idle }) => rule({ min, max: Math.max(1, min + more), target, idleMs: idle * SECOND }));

  test('whatever happens: within the bounds, never none while there are calls, at rest after the idle time', () => {
    fc.assert(
      fc.property(rules, seconds, (given, steps) => {
        const simulation = new Simulation(given);
        for (const { open, waiting, slowdown, pause } of steps) {
          const wanted = simulation.run(1, { open, waiting, slowdown });
          expect(wanted).toBeGreaterThanOrEqual(Math.max(given.min, open + waiting > 0 ? 1 : 0));
          expect(wanted).toBeLessThanOrEqual(given.max);
          simulation.now += pause * SECOND;
        }
        const atRest = simulation.run(Math.max(60, (given.idleMs ?? 0) / SECOND) + 2);
        expect(atRest).toBe(given.min);
      }),
    );
  });

  test('whatever happens: who waits is never answered by taking an instance away', () => {
    fc.assert(
      fc.property(rules, seconds, fc.integer({ min: 1, max: 50 }), (given, steps, waiting) => {
        const simulation = new Simulation(given);
        for (const { pause, ...load } of steps) {
          simulation.run(1, load);
          simulation.now += pause * SECOND;
        }
        const before = simulation.instances;
        expect(simulation.run(1, { open: 0, waiting })).toBeGreaterThanOrEqual(Math.min(before, given.max));
      }),
    );
  });
});

describe('the average of a level', () => {
  test('is weighted by time, and forgets', () => {
    const window = new LoadWindow(60 * SECOND);
    window.record(0, 10);
    window.record(15 * SECOND, 0);
    expect(window.average(30 * SECOND)).toBeCloseTo(5);
    expect(window.average(60 * SECOND)).toBeCloseTo(2.5, 0);
    expect(window.average(200 * SECOND)).toBe(0);
  });

  test('holds the level over pauses longer than the window', () => {
    const window = new LoadWindow(6 * SECOND, 12);
    window.record(0, 3);
    expect(window.average(0)).toBe(3);
    expect(window.average(10_000 * SECOND)).toBeCloseTo(3);
    expect(new LoadWindow(1000).average(5)).toBe(0);
  });

  test('lies between the least and the greatest level, whatever was recorded when', () => {
    const records = fc.array(fc.tuple(fc.nat(10_000), fc.nat(50)), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(records, fc.nat(10_000), fc.nat(1e12), (given, last, start) => {
        const window = new LoadWindow(6 * SECOND, 12);
        let now = start;
        for (const [pause, level] of given) {
          now += pause;
          window.record(now, level);
        }
        const levels = given.map(([, level]) => level);
        const average = window.average(now + last);
        expect(average).toBeGreaterThanOrEqual(Math.min(...levels) - 1e-6);
        expect(average).toBeLessThanOrEqual(Math.max(...levels) + 1e-6);
      }),
    );
  });

  test('a clock that goes back does no harm', () => {
    const window = new LoadWindow(6 * SECOND, 12);
    window.record(10 * SECOND, 4);
    window.record(2 * SECOND, 1);
    expect(window.average(11 * SECOND)).toBeCloseTo(1);
  });
});

describe('the trend of the latency', () => {
  test('compares each kind with its own best', () => {
    const trend = new LatencyTrend();
    for (let n = 0; n < 50; n++) {
      trend.record('quick', 5);
      trend.record('slow', 2000);
    }
    expect(trend.slowdown).toBeCloseTo(1, 1);
    for (let n = 0; n < 50; n++) trend.record('quick', 40);
    expect(trend.slowdown).toBeGreaterThan(5);
    for (let n = 0; n < 100; n++) trend.record('quick', 5);
    expect(trend.slowdown).toBeLessThan(1.5);
  });

  test('what became slower for good is believed in the end, and kinds without end take no room', () => {
    const trend = new LatencyTrend();
    trend.record('a', 10);
    for (let n = 0; n < 500; n++) trend.record('a', 30);
    expect(trend.slowdown).toBeLessThan(1.2);
    for (let n = 0; n < 10_000; n++) trend.record(`kind ${n}`, 10);
    trend.record('a', Number.NaN);
    trend.record('a', -1);
    expect(trend.slowdown).toBeLessThan(2);
  });
});

describe('who gets the next call', () => {
  const loadOf = (one: { load: number }): number => one.load;

  test('the one with the least to do; equals take turns', () => {
    const three = [{ load: 2 }, { load: 1 }, { load: 1 }];
    expect(leastLoaded(three, loadOf, 0)).toBe(three[1]);
    expect(leastLoaded(three, loadOf, 2)).toBe(three[2]);
    expect(leastLoaded([], loadOf)).toBeUndefined();
  });

  test('the less loaded of two, which are never the same', () => {
    const three = [{ load: 5 }, { load: 1 }, { load: 3 }];
    const drawn = (...values: number[]) => twoChoices(three, loadOf, () => values.shift() ?? 0);
    expect(drawn(0, 0)).toBe(three[1]);
    expect(drawn(0, 0.99)).toBe(three[2]);
    expect(drawn(0.99, 0.99)).toBe(three[1]);
    expect(twoChoices([], loadOf)).toBeUndefined();
    expect(twoChoices(three.slice(0, 1), loadOf)).toBe(three[0]);
  });

  test('two choices keep the greatest load near the mean, one does not', () => {
    const spread = (choose: (all: { load: number }[]) => { load: number } | undefined) => {
      const all = Array.from({ length: 20 }, () => ({ load: 0 }));
      for (let n = 0; n < 2000; n++) {
        const one = choose(all);
        if (one !== undefined) one.load++;
      }
      return Math.max(...all.map(loadOf)) - 100;
    };
    // The same "random" numbers each time (a linear congruential generator).
    let state = 1;
    const random = () => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const two = spread((all) => twoChoices(all, loadOf, random));
    const one = spread((all) => all[Math.floor(random() * all.length)]);
    expect(two).toBeLessThan(6);
    expect(one).toBeGreaterThan(two);
    expect(spread((all) => leastLoaded(all, loadOf))).toBe(0);
  });
});
