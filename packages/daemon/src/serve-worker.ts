/** One of several workers: the same daemon, in a seat that its primary process gives it. */
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { startDaemon } from './compose/index.ts';
import { concealEnvironment, loadSettings, secretSettings } from './config/index.ts';
import { QuietHeap, releaseYoungGeneration } from './heap/index.ts';
import { Channel, parentWire } from './ipc/index.ts';
import { spreadLastNet } from './last-net.ts';
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
    const environment = concealEnvironment((name) => secretSettings.has(name), isForPlugins);
    const daemon = await startDaemon(settings, environment, starting.signal, seat);
    spreadLastNet({
      log: daemon.log,
      onEscape: (origin) => daemon.metrics.escaped_errors_total.inc({ origin }),
      stop: () => daemon.stop(AbortSignal.abort()),
      exit: (code) => process.exit(code),
    });
    signals.started(daemon, (settings.SHUTDOWN_BALANCER_SECONDS + settings.SHUTDOWN_DRAIN_SECONDS) * 1000);
    releaseYoungGeneration();
    // To the end of the process, as for a daemon of one process.
    new QuietHeap({ isBusy: () => daemon.openCalls > 0 });
    const { address, debuggingAddress, detailsAddress } = daemon;
    primary.tell('nowServing', { address, debuggingAddress, detailsAddress });
    daemon.log.info({ pid: process.pid, started_in_ms: Math.round(process.uptime() * 1000) }, 'this worker serves');
  } catch (error) {
    if (starting.signal.aborted && error === starting.signal.reason) process.exit(0);
    process.stderr.write(`The plugin daemon cannot start.\n\n${toDaemonError(error).wireMessage}\n`);
    process.exit(1);
  }
}

/** Terminals and service managers signal every process of a daemon; workers stop when their primary process says so. */
function fromPrimary(channel: Channel): StopSource {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  return (stop) => channel.serve<Pick<WorkerCalls, 'stop'>>({ stop: () => stop('of the primary process') });
}
