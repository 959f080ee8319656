import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

const PREFIX = 'nodejs_eventloop_lag';
const NANO = 1e-9;

/** What is told of the turns since the last time, by the library's names for it. */
const figures = [
  ['min', 'The minimum recorded event loop delay.', 'min', (turns) => turns.min],
  ['max', 'The maximum recorded event loop delay.', 'max', (turns) => turns.max],
  ['mean', 'The mean of the recorded event loop delays.', 'average', (turns) => turns.mean],
  ['stddev', 'The standard deviation of the recorded event loop delays.', 'average', (turns) => turns.stddev],
  ['p50', 'The 50th percentile of the recorded event loop delays.', 'average', (turns) => turns.percentile(50)],
  ['p90', 'The 90th percentile of the recorded event loop delays.', 'average', (turns) => turns.percentile(90)],
  ['p99', 'The 99th percentile of the recorded event loop delays.', 'average', (turns) => turns.percentile(99)],
] as const satisfies readonly (readonly [
  name: string,
  help: string,
  across: 'min' | 'max' | 'average',
  nanoseconds: (turns: ELDHistogram) => number,
])[];

/**
 * How long the event loop lets others wait. Each of its turns is measured, so nothing wakes a process that has nothing to do; from the first
 * question on, since whom nobody asks needs neither the time nor the memory.
 */
export function registerEventLoopLag(registry: Registry): void {
  let turns: ELDHistogram | undefined;
  const registers = [registry];
  const tellTurns = () => {
    // Whoever asks first is told of nothing.
    const measured = turns !== undefined && turns.count > 0 ? turns : undefined;
    for (const { gauge, nanoseconds } of gauges) gauge.set(measured === undefined ? 0 : nanoseconds(measured) * NANO);
    turns ??= monitorEventLoopDelay({ samplePerIteration: true });
    turns.reset();
    turns.enable();
  };
  // The first of the registry is collected first, and so sets the others.
  new Gauge({
    name: `${PREFIX}_seconds`,
    help: 'Lag of event loop in seconds.',
    aggregator: 'average',
    registers,
    async collect() {
      tellTurns();
      const asked = performance.now();
      await new Promise((resolve) => setImmediate(resolve));
      this.set((performance.now() - asked) / 1000);
    },
  });
  const gauges = figures.map(([name, help, aggregator, nanoseconds]) => ({
    gauge: new Gauge({ name: `${PREFIX}_${name}_seconds`, help, aggregator, registers }),
    nanoseconds,
  }));
}
