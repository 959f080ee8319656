import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { concealEnvironment, loadSettings, secretSettings } from './config/index.ts';
import { QuietHeap, releaseYoungGeneration } from './heap/index.ts';
import { spreadLastNet } from './last-net.ts';
import { tell } from './served.ts';
import { StopSignals } from './stop-signals.ts';
import { isWorker } from './worker-variable.ts';

/** Starts the daemon of this process, tells where it is, and stops it on SIGINT and SIGTERM. */
export async function serve(): Promise<void> {
  if (isWorker(process.env)) {
    const { serveWorker } = await import('./serve-worker.ts');
    return await serveWorker();
  }
  const starting = new AbortController();
  const signals = new StopSignals(starting);
  try {
    const settings = loadSettings(process.env, { cwd: process.cwd() });
    if (settings.WORKERS > 1) {
      const { servePrimary } = await import('./serve-primary.ts');
      return await servePrimary(settings, starting, signals);
    }
    // The whole daemon, of which a primary process needs little.
    const { startDaemon } = await import('./compose/index.ts');
    const environment = concealEnvironment((name) => secretSettings.has(name), isForPlugins);
    const daemon = await startDaemon(settings, environment, starting.signal);
    spreadLastNet({
      log: daemon.log,
      onEscape: (origin) => daemon.metrics.escaped_errors_total.inc({ origin }),
      stop: () => daemon.stop(AbortSignal.abort()),
      exit: (code) => process.exit(code),
    });
    signals.started(daemon, (settings.SHUTDOWN_BALANCER_SECONDS + settings.SHUTDOWN_DRAIN_SECONDS) * 1000);
    releaseYoungGeneration();
    // To the end of the process: as long as it is there, it can become quiet.
    new QuietHeap({ isBusy: () => daemon.openCalls > 0 });
    if (!starting.signal.aborted) tell(daemon, settings, Math.round(process.uptime() * 1000));
  } catch (error) {
    if (starting.signal.aborted && error === starting.signal.reason) process.exit(0);
    const text = toDaemonError(error).wireMessage;
    process.stderr.write(`The plugin daemon cannot start.\n\n${text}\n`);
    process.exit(1);
  }
}
