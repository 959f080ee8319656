import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts'],
    pool: 'forks',
    // The tests wait for processes most of the time: one file at a time, vitest's choice for two cores, leaves these idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Ends what hangs, and nothing else: on a machine that others use too, what takes a second can take a minute.
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 180_000,
    hookTimeout: 240_000,
  },
});
