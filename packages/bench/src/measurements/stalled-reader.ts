/** One client opens a large stream and never reads: what do other calls of the same plugin notice? */
import { connect } from 'node:net';
import { delay } from '../daemon/index.ts';
import { quantile, residentMb } from '../load/index.ts';
import type { Bench, Measurement } from './measurement.ts';

const CALLS = 200;
/** A call that takes longer counts as not answered. */
const LIMIT_MS = 8000;
const STREAM = { count: 20_000, size: 65_536 };

export const stalledReader: Measurement = {
  name: 'stalled',
  title: 'A reader that stalls',
  async run(bench) {
    await bench.ensure('tool');
    const alone = await callTimes(bench);
    const { hostname, port } = new URL(bench.target.url);
    const socket = connect(Number(port), hostname, () => socket.write(bench.toolRequest('stream', STREAM)));
    socket.on('error', () => {}); // the daemon may end the session that nobody reads
    socket.pause();
    try {
      await delay(2000);
      const beside = await callTimes(bench);
      return [
        bench.figure('stalled.alone', [quantile(alone, 0.99)]),
        bench.figure(
          'stalled.beside',
          [quantile(beside, 0.99)],
          beside.length < CALLS ? `${beside.length} of ${CALLS} calls, then one without answer` : undefined,
        ),
        bench.figure('stalled.memory', [residentMb(bench.target.pid())]),
      ];
    } finally {
      socket.destroy();
    }
  },
};

/** Ends at the first call without answer, which then counts with the limit. */
async function callTimes(bench: Bench): Promise<number[]> {
  const times: number[] = [];
  while (times.length < CALLS) {
    const askedAt = performance.now();
    try {
      await bench.callTool('echo', { text: 'x' }, 'speed-tool', AbortSignal.timeout(LIMIT_MS));
    } catch {
      return [...times, LIMIT_MS];
    }
    times.push(performance.now() - askedAt);
  }
  return times;
}
