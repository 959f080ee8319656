/** Environment → compose → listen → drain. Nothing else. */
import { enableCompileCache } from 'node:module';

enableCompileCache();

// Loaded after the compile cache is on: that saves most of the start-up time.
const { banner } = await import('./banner.ts');
const { loadSettings } = await import('./config/index.ts');
const { DaemonError } = await import('./errors/index.ts');
const { startDaemon } = await import('./compose/index.ts');
const { spreadLastNet } = await import('./last-net.ts');

/** How long open calls may finish after SIGTERM; a second signal ends the waiting. */
const DRAIN_MS = 30_000;

const starting = new AbortController();
let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined;
try {
  const drain = new AbortController();
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    // What is waited for before there is a daemon is given up; a start under way comes to its end first.
    starting.abort();
    if (daemon === undefined || drain.signal.aborted) return;
    if (stopping) return drain.abort();
    stopping = true;
    daemon.log.info({ signal }, 'stopping: open calls may finish');
    setTimeout(() => drain.abort(), DRAIN_MS).unref();
    daemon.stop(drain.signal).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(
          `the daemon could not stop cleanly: ${error instanceof Error ? error.stack : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);

  const started = await startDaemon(loadSettings(process.env, { cwd: process.cwd() }), process.env, starting.signal);
  daemon = started;
  spreadLastNet({
    log: started.log,
    onEscape: (origin) => started.metrics.escaped_errors_total.inc({ origin }),
    stop: () => started.stop(AbortSignal.abort()),
    exit: (code) => process.exit(code),
  });
  if (starting.signal.aborted) stop('SIGTERM');
  else process.stdout.write(banner(started.address, started.dataDirectory, Math.round(process.uptime() * 1000)));
} catch (error) {
  if (starting.signal.aborted && error === starting.signal.reason) process.exit(0);
  const text =
    error instanceof DaemonError ? error.wireMessage : error instanceof Error ? error.message : String(error);
  process.stderr.write(`The plugin daemon cannot start.\n\n${text}\n`);
  process.exit(1);
}
