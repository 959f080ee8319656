/** What the daemon keeps in memory: idle, under a load of tool calls, and half a minute after it. */
import { delay } from '../daemon/index.ts';
import { faultlessLoop, residentMb } from '../load/index.ts';
import type { Bench, Measurement } from './measurement.ts';

const IDLE_MS = 10_000;
const AFTER_MS = 30_000;
const LOOK_MS = 100;

export const memory: Measurement = {
  name: 'memory',
  title: 'Resident memory',
  async run(bench) {
    await bench.ensure('tool');
    const runs = await bench.repeat(async () => {
      await bench.target.stop();
      await bench.target.start();
      await bench.untilAnswer('speed-tool');
      await delay(IDLE_MS);
      const idle = residentMb(bench.target.pid());
      const loaded = await underLoad(bench);
      await delay(AFTER_MS);
      return { idle, loaded, after: residentMb(bench.target.pid()) };
    });
    return [
      bench.figure(
        'memory.idle',
        runs.map(({ idle }) => idle),
      ),
      bench.figure(
        'memory.load',
        runs.map(({ loaded }) => loaded),
        'the most that was seen',
      ),
      bench.figure(
        'memory.after',
        runs.map(({ after }) => after),
      ),
    ];
  },
};

/** The most that is resident while 1, 8 and 64 call at a time. */
async function underLoad(bench: Bench): Promise<number> {
  const request = bench.toolRequest('echo', { text: 'hello' });
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, residentMb(bench.target.pid()));
  }, LOOK_MS);
  try {
    for (const connections of [1, 8, 64])
      await faultlessLoop({
        url: bench.target.url,
        request,
        connections,
        maxMs: bench.seconds * 1000,
        maxRequests: Number.MAX_SAFE_INTEGER,
        expect: 'hello',
      });
  } finally {
    clearInterval(looking);
  }
  return most;
}
