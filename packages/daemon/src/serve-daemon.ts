import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { type Daemon, startDaemon, type WorkerSeat } from './compose/index.ts';
import { concealEnvironment, type Settings, secretSettings } from './config/index.ts';
import { QuietHeap } from './heap/index.ts';
import { nowServes } from './process-life.ts';
import type { StopSignals } from './stop-signals.ts';

/** A whole daemon in this process, to its end. @param seat where it is a worker of several */
export async function serveDaemon(
  settings: Settings,
  starting: AbortSignal,
  signals: StopSignals,
  seat?: WorkerSeat,
): Promise<Daemon> {
  const environment = concealEnvironment((name) => secretSettings.has(name), isForPlugins);
  const daemon = await startDaemon(settings, environment, starting, seat);
  nowServes(daemon, signals, (settings.SHUTDOWN_BALANCER_SECONDS + settings.SHUTDOWN_DRAIN_SECONDS) * 1000);
  // As long as the process is there, it can become quiet.
  new QuietHeap({ isBusy: () => daemon.openCalls > 0 });
  return daemon;
}
