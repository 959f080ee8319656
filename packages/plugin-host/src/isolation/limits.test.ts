import { expect, test } from 'vitest';
import { memoryLimit, pluginLimits } from './limits.ts';

const MIB = 1024 * 1024;
const options = {
  memoryFactor: 4,
  memoryFloor: 1024 * MIB,
  processes: 0,
  openFiles: 7,
  fileBytes: 8,
  cpuPercent: 0,
};

test('the manifest counts when it asks for more than the floor', () => {
  expect(pluginLimits(512 * MIB, options)).toEqual({
    memoryBytes: 2048 * MIB,
    memoryText: "its memory limit of 2048 MiB (512 MiB in the manifest's resource.memory times PLUGIN_MEMORY_FACTOR)",
    processes: undefined,
    openFiles: 7,
    fileBytes: 8,
    cpuPercent: undefined,
  });
  expect(pluginLimits(MIB, options).memoryBytes).toBe(1024 * MIB);
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  'what a manifest says that is no size (%s) leaves the floor',
  (declared) => {
    expect(pluginLimits(declared, options).memoryBytes).toBe(1024 * MIB);
  },
);

test('a size beyond all machines is still a number', () => {
  expect(pluginLimits(Number.MAX_VALUE, options).memoryBytes).toBe(Number.MAX_SAFE_INTEGER);
});

test('factor 0 sets no limit', () => {
  const limits = pluginLimits(512 * MIB, { ...options, memoryFactor: 0 });
  expect([limits.memoryBytes, memoryLimit(limits, false)]).toEqual([undefined, undefined]);
});
