/** A daemon's own life: cold start, memory when idle, and what a killed plugin costs. */

import { delay } from '../daemon/index.ts';
import { residentMb } from '../load/index.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

const STARTS = 5;
const IDLE_MS = 3000;
const CRASHES = 5;
const CALL_LIMIT_MS = 10_000;

export const coldStart: Measurement = {
  name: 'start',
  title: 'Starting, and memory when idle',
  async run(bench) {
    const runs = await bench.repeat(async () => {
      await bench.target.stop();
      const ms = await bench.target.start();
      await delay(IDLE_MS);
      return { ms, mb: residentMb(bench.target.pid()) };
    }, STARTS);
    const others: Figure[] = [];
    for (const way of ['bundle', 'npm'] as const) {
      const { startAs } = bench.target;
      if (startAs === undefined) continue;
      const times = await bench.repeat(async () => {
        await bench.target.stop();
        return await startAs(way);
      }, STARTS);
      others.push(bench.figure(`start.${way}`, times));
    }
    // Who measures next wants the process itself.
    await bench.target.stop();
    await bench.target.start();
    return [
      bench.figure(
        'start.healthy',
        runs.map((run) => run.ms),
      ),
      ...others,
      bench.figure(
        'start.memory',
        runs.map((run) => run.mb),
      ),
    ];
  },
};

export const crashes: Measurement = {
  name: 'crash',
  title: 'A plugin is killed (kill -9)',
  async run(bench) {
    await bench.ensure('tool');
    const idle = await bench.repeat(async () => await afterKill(bench), CRASHES);
    return [bench.figure('crash.answer', idle), await crashInFlight(bench)];
  },
};

/** From the kill to the end of the first call that succeeds; calls are made one after the other. */
async function afterKill(bench: Bench): Promise<number> {
  await delay(1000);
  process.kill(await pluginPid(bench), 'SIGKILL');
  const killedAt = performance.now();
  for (;;) {
    try {
      await bench.callTool('echo', { text: 'x' }, 'speed-tool', AbortSignal.timeout(CALL_LIMIT_MS));
      return performance.now() - killedAt;
    } catch {
      if (performance.now() - killedAt > 60_000) throw new Error('the plugin did not come back within a minute');
      await delay(10);
    }
  }
}

/** How long a stream stays open after its plugin was killed. */
async function crashInFlight(bench: Bench) {
  const pid = await pluginPid(bench);
  const data = {
    provider: 'speed-tool',
    tool: 'slow',
    tool_parameters: { count: 1000, interval_ms: 50 },
    credentials: {},
  };
  const limit = AbortSignal.timeout(CALL_LIMIT_MS);
  let killedAt = 0;
  let end = 'the stream ended without an error';
  try {
    for await (const _ of bench.client.invoke('tool/invoke', 'bench/speed-tool', data, limit)) {
      if (killedAt === 0) {
        killedAt = performance.now();
        process.kill(pid, 'SIGKILL');
      }
    }
  } catch (error) {
    end = limit.aborted
      ? 'no end within the limit'
      : (String(error instanceof Error ? error.message : error).split('\n')[0] ?? '');
  }
  return bench.figure('crash.inFlight', [performance.now() - killedAt], end.slice(0, 160));
}

async function pluginPid(bench: Bench): Promise<number> {
  const pid = Number((await bench.callTool('pid'))?.message.text);
  if (!Number.isInteger(pid) || pid <= 1) throw new Error('the plugin does not say its process id');
  return pid;
}
