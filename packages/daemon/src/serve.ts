import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { banner, hostAndPort, urlOf } from './banner.ts';
import { type Daemon, startDaemon } from './compose/index.ts';
import { concealEnvironment, loadSettings, type Settings, secretSettings } from './config/index.ts';
import { spreadLastNet } from './last-net.ts';
import { VERSION } from './version.ts';

/** How long open calls may finish after SIGTERM; a second signal ends the waiting. */
const DRAIN_MS = 30_000;

/** Starts the daemon of this process, tells where it is, and stops it on SIGINT and SIGTERM. */
export async function serve(): Promise<void> {
  const starting = new AbortController();
  const signals = new StopSignals(starting);
  try {
    const settings = loadSettings(process.env, { cwd: process.cwd() });
    const environment = concealEnvironment((name) => secretSettings.has(name), isForPlugins);
    const daemon = await startDaemon(settings, environment, starting.signal);
    spreadLastNet({
      log: daemon.log,
      onEscape: (origin) => daemon.metrics.escaped_errors_total.inc({ origin }),
      stop: () => daemon.stop(AbortSignal.abort()),
      exit: (code) => process.exit(code),
    });
    signals.started(daemon);
    if (!starting.signal.aborted) tell(daemon, settings, Math.round(process.uptime() * 1000));
  } catch (error) {
    if (starting.signal.aborted && error === starting.signal.reason) process.exit(0);
    const text = toDaemonError(error).wireMessage;
    process.stderr.write(`The plugin daemon cannot start.\n\n${text}\n`);
    process.exit(1);
  }
}

function tell(daemon: Daemon, settings: Settings, startedInMs: number): void {
  const { address, debuggingAddress, detailsAddress, dataDirectory } = daemon;
  if (settings.LOG_OUTPUT_FORMAT !== 'json')
    process.stdout.write(
      banner({
        address,
        debuggingAddress,
        detailsAddress,
        dataDirectory,
        webhooks: settings.PLUGIN_ENDPOINT_ENABLED,
        warnings: settings.warnings,
        startedInMs,
      }),
    );
  daemon.log.info(
    {
      address: hostAndPort(address),
      url: urlOf(address),
      debugging: debuggingAddress === undefined ? 'off' : hostAndPort(debuggingAddress),
      ...(detailsAddress !== undefined && { details: hostAndPort(detailsAddress) }),
      data_directory: dataDirectory.path,
      version: VERSION,
      started_in_ms: startedInMs,
    },
    'listening',
  );
}

/** SIGINT and SIGTERM: the first one gives up a start, or lets open calls finish; the second one ends them. */
class StopSignals {
  readonly #starting: AbortController;
  readonly #drain = new AbortController();
  #daemon: Daemon | undefined;
  #stopping = false;

  constructor(starting: AbortController) {
    this.#starting = starting;
    process.on('SIGINT', (signal) => this.#stop(signal));
    process.on('SIGTERM', (signal) => this.#stop(signal));
  }

  started(daemon: Daemon): void {
    this.#daemon = daemon;
    if (this.#starting.signal.aborted) this.#stop('SIGTERM');
  }

  #stop(signal: NodeJS.Signals): void {
    // What is waited for before there is a daemon is given up; a start under way comes to its end first.
    const daemon = this.#daemon;
    if (daemon === undefined && this.#starting.signal.aborted) process.exit(1);
    this.#starting.abort();
    const drain = this.#drain;
    if (daemon === undefined || drain.signal.aborted) return;
    if (this.#stopping) {
      daemon.log.warn({ signal, open_calls: daemon.openCalls }, 'second signal: open calls are ended now');
      return drain.abort();
    }
    this.#stopping = true;
    const fields = { signal, open_calls: daemon.openCalls, limit_seconds: DRAIN_MS / 1000 };
    daemon.log.info(fields, 'stopping: open calls may finish within the limit; a second signal ends them');
    setTimeout(() => {
      if (daemon.openCalls > 0)
        daemon.log.warn({ open_calls: daemon.openCalls }, 'the limit is over: open calls are ended');
      drain.abort();
    }, DRAIN_MS).unref();
    daemon.stop(drain.signal).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(
          `the daemon could not stop cleanly: ${error instanceof Error ? error.stack : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  }
}
