import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { banner, hostAndPort, urlOf } from './banner.ts';
import { type Daemon, startDaemon } from './compose/index.ts';
import { concealEnvironment, loadSettings, type Settings, secretSettings } from './config/index.ts';
import { spreadLastNet } from './last-net.ts';
import { StopSignals } from './stop-signals.ts';
import { VERSION } from './version.ts';
import { releaseYoungGeneration } from './young-generation.ts';

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
    signals.started(daemon, (settings.SHUTDOWN_BALANCER_SECONDS + settings.SHUTDOWN_DRAIN_SECONDS) * 1000);
    releaseYoungGeneration();
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
