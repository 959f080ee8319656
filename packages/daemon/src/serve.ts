import { loadSettings } from './config/index.ts';
import { cannotStart } from './process-life.ts';
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
    const { serveDaemon } = await import('./serve-daemon.ts');
    const daemon = await serveDaemon(settings, starting.signal, signals);
    if (!starting.signal.aborted) tell(daemon, settings, Math.round(process.uptime() * 1000));
  } catch (error) {
    cannotStart('The plugin daemon', error, starting.signal);
  }
}
