import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PluginProcess, ProcessUsage } from '../../launcher/index.ts';
import { Liveness } from './liveness.ts';

const OPTIONS = { warnAfterMs: 60_000, deadAfterMs: 120_000, lookEveryMs: 30_000, hopelessAfterMs: 600_000 };

let usage: ProcessUsage | undefined;
/** Processor seconds that each second adds. */
let load: number;
let silent: (readonly [seconds: number, busy: boolean])[];
let dead: string[];
let liveness: Liveness;

const plugin: PluginProcess = {
  pid: 1,
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  exited: new Promise(() => undefined),
  kill: () => true,
  usage: async () => usage,
};

beforeEach(() => {
  vi.useFakeTimers();
  usage = { cpuSeconds: 0, rssBytes: 0 };
  load = 0;
  silent = [];
  dead = [];
  liveness = new Liveness(plugin, OPTIONS, {
    onSilent: (seconds, busy) => silent.push([seconds, busy]),
    onDead: (reason) => dead.push(reason),
  });
});

afterEach(() => {
  liveness.stop();
  vi.useRealTimers();
});

async function pass(seconds: number): Promise<void> {
  for (let n = 0; n < seconds; n++) {
    if (usage !== undefined) usage = { ...usage, cpuSeconds: usage.cpuSeconds + load };
    await vi.advanceTimersByTimeAsync(1000);
  }
}

test('a plugin that is heard of is left alone', async () => {
  for (let n = 0; n < 30; n++) {
    await pass(20);
    liveness.touch();
  }
  expect([silent, dead]).toEqual([[], []]);
});

test('silence is a warning first, death after the limit', async () => {
  await pass(100);
  expect(silent.at(0)).toEqual([90, false]);
  expect(dead).toEqual([]);
  await pass(60);
  expect(dead).toEqual(['it has not been heard of for 150 s']);
});

test('it is judged once', async () => {
  await pass(400);
  expect(dead).toHaveLength(1);
});

test('one that computes is spared, and ended when it is hopeless', async () => {
  load = 0.9;
  await pass(590);
  expect(dead).toEqual([]);
  expect(silent.every(([, busy]) => busy)).toBe(true);
  expect(silent.length).toBeGreaterThan(10);
  await pass(60);
  expect(dead).toEqual(['it has not been heard of for 630 s, although it uses the processor']);
});

test('one that stops computing without a word is ended at the next look', async () => {
  load = 0.9;
  await pass(300);
  load = 0.05;
  await pass(61);
  expect(dead).toHaveLength(1);
  expect(dead[0]).not.toContain('processor');
});

test('a late sign of life saves it', async () => {
  await pass(119);
  liveness.touch();
  await pass(59);
  expect(dead).toEqual([]);
});

test('where usage cannot be read, silence alone decides', async () => {
  usage = undefined;
  await pass(160);
  expect(dead).toHaveLength(1);
});

test('nothing is looked at after it was stopped', async () => {
  liveness.stop();
  await pass(1000);
  expect([silent, dead]).toEqual([[], []]);
});
