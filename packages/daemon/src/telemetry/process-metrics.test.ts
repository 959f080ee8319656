import { collectDefaultMetrics, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { registerProcessMetrics } from './process-metrics.ts';

test('all figures have the names, kinds and helps that the library gives them', async () => {
  const [library, own] = [new Registry(), new Registry()];
  collectDefaultMetrics({ register: library });
  registerProcessMetrics(own);
  const families = async (registry: Registry) =>
    (await registry.getMetricsAsJSON())
      .map(({ name, help, type, aggregator }) => ({ name, help, type, aggregator }))
      .toSorted((a, b) => a.name.localeCompare(b.name));
  expect(await families(own)).toEqual(await families(library));
});

test('who asks is told how long the event loop stood still since it was asked last', async () => {
  const registry = new Registry();
  registerProcessMetrics(registry);
  const most = async () =>
    Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await registry.metrics())?.[1] ?? Number.NaN);
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1));
  expect(await most()).toBe(0);
  await turn();
  const until = performance.now() + 100;
  while (performance.now() < until);
  await turn();
  expect(await most()).toBeGreaterThan(0.09);
  expect(await registry.metrics()).not.toMatch(/nodejs_eventloop\S* NaN/i);
});
