/** One of several workers: the same daemon, in a seat that its primary process gives it. */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { loadSettings } from './config/index.ts';
import { Channel, parentWire } from './ipc/index.ts';
import { cannotStart } from './process-life.ts';
import { serveDaemon } from './serve-daemon.ts';
import { StopSignals, type StopSource } from './stop-signals.ts';
import { WORKER_VARIABLE } from './worker-variable.ts';
import type { PrimaryCalls, WorkerCalls } from './workers/index.ts';

export async function serveWorker(): Promise<void> {
  delete process.env[WORKER_VARIABLE];
  const starting = new AbortController();
  try {
    const wire = parentWire();
    if (wire === undefined)
      throw new DaemonError('internal', `${WORKER_VARIABLE} is set, and there is no primary process`, {
        remedy: `Unset ${WORKER_VARIABLE}: WORKERS says how many workers there are`,
      });
    const channel = new Channel(wire);
    const signals = new StopSignals(starting, fromPrimary(channel));
    const primary = channel.caller<PrimaryCalls>();
    const seat = { ...(await primary.call('takeSeat')), channel };
    const settings = loadSettings(process.env, { cwd: process.cwd() });
    const daemon = await serveDaemon(settings, starting.signal, signals, seat);
    const { address, debuggingAddress, detailsAddress } = daemon;
    primary.tell('nowServing', { address, debuggingAddress, detailsAddress });
    daemon.log.info({ pid: process.pid, started_in_ms: Math.round(process.uptime() * 1000) }, 'this worker serves');
  } catch (error) {
    cannotStart('The plugin daemon', error, starting.signal);
  }
}

/** Terminals and service managers signal every process of a daemon; workers stop when their primary process says so. */
function fromPrimary(channel: Channel): StopSource {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  return (stop) => channel.serve<Pick<WorkerCalls, 'stop'>>({ stop: () => stop('of the primary process') });
}
