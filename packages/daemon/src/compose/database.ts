/** The database that the settings ask for. */
import type { DataDirectory, Settings } from '../config/index.ts';
import { awaitDatabase, type Database, type DatabaseOptions } from '../database/index.ts';
import type { EventBus } from '../events/index.ts';
import { openWaitingRoom, type WaitingRoom } from '../http/waiting-room/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { WorkerSeat } from './worker-seat.ts';

/** Go's 0 means "no limit"; the pools want a number. */
const NO_LIMIT = 10_000;

export function databaseOptions(
  settings: Settings,
  { databaseFile }: Pick<DataDirectory, 'databaseFile'>,
  seat?: WorkerSeat,
): DatabaseOptions {
  if (settings.DB_TYPE === 'sqlite') {
    const shared = seat && (seat.isFirst ? 'first' : 'further');
    return { type: 'sqlite', file: databaseFile, shared };
  }
  const { DB_SSL_ROOT_CERT: root, DB_SSL_CERT: certificate, DB_SSL_KEY: key } = settings;
  const { options } = settings.DB_EXTRAS;
  return {
    type: settings.DB_TYPE === 'mysql' ? 'mysql' : 'postgresql',
    // loadSettings has seen to it that these are there.
    host: settings.DB_HOST ?? '',
    port: settings.DB_PORT,
    user: settings.DB_USERNAME ?? '',
    password: settings.DB_PASSWORD,
    database: settings.DB_DATABASE ?? '',
    defaultDatabase: settings.DB_DEFAULT_DATABASE,
    tls: {
      mode: settings.DB_SSL_MODE,
      ...(root !== undefined && { rootCertificate: root }),
      ...(certificate !== undefined && { certificate }),
      ...(key !== undefined && { key }),
    },
    pool: {
      maxOpen: settings.DB_MAX_OPEN_CONNS === 0 ? NO_LIMIT : settings.DB_MAX_OPEN_CONNS,
      maxIdle: settings.DB_MAX_IDLE_CONNS,
      maxLifetimeSeconds: settings.DB_CONN_MAX_LIFETIME,
    },
    timeouts: {
      connectMs: settings.DB_CONNECT_TIMEOUT,
      readMs: settings.DB_READ_TIMEOUT,
      writeMs: settings.DB_WRITE_TIMEOUT,
    },
    ...(options !== undefined && { options }),
  };
}

export interface DatabaseParts {
  readonly settings: Settings;
  readonly dataDirectory: DataDirectory;
  readonly log: Log;
  readonly seat?: WorkerSeat | undefined;
  /** By which nodes tell each other what they changed; undefined for one alone. */
  readonly events: EventBus | undefined;
  /** Ends the waiting for a server. */
  readonly signal: AbortSignal;
}

/**
 * Opens the database. While its server is not up, one line says so, and whoever asks over HTTP is told to wait.
 * @throws DatabaseError when waiting does not help; the reason of the signal
 */
export async function provideDatabase({
  settings,
  dataDirectory,
  log,
  seat,
  events,
  signal,
}: DatabaseParts): Promise<Database> {
  let room: WaitingRoom | undefined;
  try {
    return await awaitDatabase(databaseOptions(settings, dataDirectory, seat), {
      signal,
      events,
      onMissingKey: ({ index, table, columns }) => {
        const remedy = `delete all but one of the rows of ${table} that have the same ${columns.join(' and ')}; the next start makes the key`;
        log.warn({ index, table, remedy }, `the database has no unique key ${index}: rows of ${table} are alike in it`);
      },
      onWaiting: async (error) => {
        log.warn({ remedy: error.remedy }, `waiting for the database: ${error.message}`);
        room = await openWaitingRoom({ host: settings.SERVER_HOST, port: settings.SERVER_PORT }, () => ({
          // Hosts and users are not for everybody; the log names them.
          database: 'waiting for the database',
        }));
      },
    });
  } finally {
    await room?.close();
    if (room !== undefined && !signal.aborted) log.info('the database is there');
  }
}
