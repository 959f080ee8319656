import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    pool: 'forks',
    // The tests wait for processes most of the time: one file at a time, vitest's choice for two cores, leaves these idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // A gate on a shared machine stands and falls with thousands of tests: what fails once for want of time is tried again, and the
    // report says so. Elsewhere nothing is.
    retry: process.env.CI === undefined ? 0 : 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
