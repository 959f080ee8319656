import { banner, hostAndPort, urlOf } from './banner.ts';
import type { Daemon } from './compose/index.ts';
import type { Settings } from './config/index.ts';
import { VERSION } from './version.ts';

/** Where a daemon serves, as its banner and its log say. */
export type Served = Pick<Daemon, 'log' | 'address' | 'debuggingAddress' | 'detailsAddress' | 'dataDirectory'>;

export function tell(daemon: Served, settings: Settings, startedInMs: number, fields: object = {}): void {
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
      ...fields,
    },
    'listening',
  );
}
