import { isForPlugins } from '@plugin-daemon/plugin-host/runtimes/local';
import { hostAndPort, urlOf } from './banner.ts';
import { type Sri, startSri } from './compose/index.ts';
import { concealEnvironment, loadSettings, type Settings, secretSettings } from './config/index.ts';
import { cannotStart, nowServes } from './process-life.ts';
import { StopSignals } from './stop-signals.ts';
import { VERSION } from './version.ts';

/** Starts the server of the serverless runtime interface, tells where it is, and stops it on SIGINT and SIGTERM. */
export async function serveSri(): Promise<void> {
  const starting = new AbortController();
  const signals = new StopSignals(starting);
  try {
    const settings = loadSettings(process.env, { cwd: process.cwd() });
    const environment = concealEnvironment((name) => secretSettings.has(name), isForPlugins);
    const sri = await startSri(settings, environment, starting.signal);
    if (settings.WORKERS > 1)
      sri.log.warn(
        { WORKERS: settings.WORKERS },
        'this server is one process whatever WORKERS says; its functions are others',
      );
    nowServes(sri, signals, settings.SHUTDOWN_DRAIN_SECONDS * 1000);
    if (!starting.signal.aborted) tell(sri, settings, Math.round(process.uptime() * 1000));
  } catch (error) {
    cannotStart('The server of the serverless runtime interface', error, starting.signal);
  }
}

function tell({ address, directory, log }: Sri, settings: Settings, startedInMs: number): void {
  const url = urlOf(address);
  const { file } = directory.key;
  const row = (name: string, value: string): string => `  ${name.padEnd(16)}${value}`;
  if (settings.LOG_OUTPUT_FORMAT !== 'json')
    process.stdout.write(
      `${[
        '',
        row('dify-sri', `${VERSION}   ${url}   ready in ${startedInMs} ms`),
        '',
        row('Listening on', hostAndPort(address)),
        row('Functions are', settings.SRI_BACKEND),
        row('They call back', settings.SRI_DAEMON_URL),
        row('Data directory', directory.path),
        '',
        row('Tell the daemon', 'PLATFORM=serverless'),
        row('', `DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL=${url}`),
        row(
          '',
          `DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY=${file === undefined ? '<as configured>' : `$(cat ${file})`}`,
        ),
        ...settings.warnings.map(({ variables, message }) => row('Note', `${variables.join(', ')}: ${message}`)),
        '',
      ].join('\n')}\n`,
    );
  log.info(
    {
      address: hostAndPort(address),
      url,
      backend: settings.SRI_BACKEND,
      data_directory: directory.path,
      version: VERSION,
      started_in_ms: startedInMs,
    },
    'listening',
  );
}
