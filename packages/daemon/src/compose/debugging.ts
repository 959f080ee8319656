/** Plugins that their authors run elsewhere: the keys they connect with, and the server they connect to. */
import type { AddressInfo } from 'node:net';
import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import { type DataDirectory, debuggingKeysFile, isPublished, type Settings } from '../config/index.ts';
import {
  DebuggingKeys,
  type DebuggingRuntimes,
  DebuggingServer,
  type KeptKeys,
  KeyFile,
} from '../runtimes/debugging/index.ts';
import { objectKey } from '../storage/index.ts';
import type { PrimaryCalls } from '../workers/index.ts';
import type { Closing } from './closing.ts';
import type { Foundation } from './foundation.ts';
import { sharesThroughPrimary, type WorkerSeat } from './worker-seat.ts';

interface DebuggingParts extends Foundation {
  readonly settings: Settings;
  readonly seat: WorkerSeat | undefined;
  readonly budgets: PluginBudgets;
  readonly runtimes: DebuggingRuntimes;
}

export interface Debugging {
  readonly keys: DebuggingKeys;
  /** Undefined where the settings allow none. */
  readonly address: AddressInfo | undefined;
}

/** Listens for them, where the settings allow them. */
export async function openDebugging(parts: DebuggingParts, closing: Closing): Promise<Debugging> {
  const { settings, dataDirectory, seat, cache, database, objects, journal } = parts;
  const keys = new DebuggingKeys({
    cache,
    // Redis keeps them over a restart, and a file of one node would bring back what another node replaced.
    kept: keptKeys(parts.events === undefined, dataDirectory, settings, seat),
  });
  if (!settings.PLUGIN_REMOTE_INSTALLING_ENABLED) return { keys, address: undefined };
  const server = closing(
    new DebuggingServer({
      host: settings.PLUGIN_REMOTE_INSTALLING_HOST,
      port: settings.PLUGIN_REMOTE_INSTALLING_PORT,
      maxConnections: settings.PLUGIN_REMOTE_INSTALLING_MAX_CONN,
      maxConnectionsOfTenant: settings.PLUGIN_REMOTE_INSTALLING_MAX_SINGLE_TENANT_CONN,
      maxMessageBytes: settings.PLUGIN_MAX_MESSAGE_BYTES,
      budgets: parts.budgets,
      serverKeyIsPublished: isPublished(dataDirectory.serverKey.value) && !settings.ALLOW_PUBLISHED_KEYS,
      keys,
      runtimes: parts.runtimes,
      database,
      nodeId: parts.nodeId,
      storeMedia: (id, content) => objects.write(objectKey(settings.PLUGIN_MEDIA_CACHE_PATH, id), content),
      log: journal.listeningTo(parts.log.child({ component: 'debugging' })),
    }),
    (s) => s.close(),
  );
  return { keys, address: await server.start() };
}

/** Where connection keys outlive this process; undefined with Redis, which does that. */
function keptKeys(
  isAlone: boolean,
  dataDirectory: DataDirectory,
  settings: Settings,
  seat: WorkerSeat | undefined,
): KeptKeys | undefined {
  if (isAlone) return new KeyFile(debuggingKeysFile(dataDirectory.path));
  if (!sharesThroughPrimary(settings, seat)) return undefined;
  const primary = seat.channel.caller<PrimaryCalls>();
  return { entries: () => new Map(), keep: (tenantId, kept) => primary.tell('keepKey', tenantId, kept) };
}
