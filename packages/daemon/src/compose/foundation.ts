/** What everything else stands on: this node's id and directory, log and metrics, and the state that nodes share. */
import {
  type DataDirectory,
  openDataDirectory,
  openWorkerDirectory,
  type Settings,
  secretValues,
} from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { measured, type ObjectStorage } from '../storage/index.ts';
import { createMetrics, type Metrics, type OwnedLog, PluginJournal, SecretFilter } from '../telemetry/index.ts';
import type { PrimaryCalls } from '../workers/index.ts';
import type { Closing } from './closing.ts';
import { provideDatabase } from './database.ts';
import { openObjects } from './drivers.ts';
import { openLog } from './log.ts';
import { newId } from './new-id.ts';
import { openShared, type Shared } from './shared.ts';
import type { WorkerSeat } from './worker-seat.ts';

export interface Foundation extends Shared {
  /** This process, for what it holds where other nodes see it: leases, debugging installations, files being written. */
  readonly nodeId: string;
  readonly dataDirectory: DataDirectory;
  readonly log: OwnedLog;
  readonly journal: PluginJournal;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly objects: ObjectStorage;
}

interface FoundationOptions {
  readonly settings: Settings;
  /** Ends the waiting for a database that is not up yet. */
  readonly signal: AbortSignal;
  readonly seat: WorkerSeat | undefined;
  /** Whether the daemon got as far as serving: what stops before was never there. */
  readonly hasServed: () => boolean;
}

export async function openFoundation(options: FoundationOptions, closing: Closing): Promise<Foundation> {
  const { settings, signal, seat } = options;
  const nodeId = newId();
  const dataDirectory = closing(
    seat === undefined ? openDataDirectory(settings) : openWorkerDirectory(settings, seat),
    (d) => d.close(),
  );
  const { serverKey, difyInnerApiKey, formerServerKey } = dataDirectory;
  const secrets = [serverKey.value, difyInnerApiKey.value, formerServerKey ?? '', ...secretValues(settings)];
  const log = closing(openLog(settings, secrets, seat?.index), (l) => {
    if (options.hasServed()) l.info('stopped');
    l.close();
  });
  const filter = new SecretFilter(secrets);
  const journal = new PluginJournal((text) => filter.clean(text));
  if (seat === undefined) for (const { variables, message } of settings.warnings) log.warn({ variables }, message);
  const metrics = createMetrics({ enabled: settings.PROMETHEUS_ENABLED, processMetrics: true });

  const shared = await openShared(settings, nodeId, log, closing, seat);
  const { events } = shared;
  const database = closing(await provideDatabase({ settings, dataDirectory, log, signal, events, seat }), (d) =>
    d.close(),
  );
  const primary = seat?.channel.caller<PrimaryCalls>();
  primary?.tell('nodeIs', nodeId);
  primary?.tell('databaseIsOpen');
  const objects = closing(measured(await openObjects(settings, nodeId), metrics), (o) => o.close());
  return { ...shared, nodeId, dataDirectory, log, journal, metrics, database, objects };
}
