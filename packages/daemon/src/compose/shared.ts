import { type Cache, openMemoryCache, openPrimaryCache, openRedisCache, type Scripts } from '../cache/index.ts';
import type { Settings } from '../config/index.ts';
import { EventBus, UpstreamCaches } from '../events/index.ts';
import type { OwnedLog } from '../telemetry/index.ts';
import type { Closing } from './closing.ts';
import { redisServers } from './redis.ts';
import type { WorkerSeat } from './worker-seat.ts';

export interface Shared {
  readonly cache: Cache;
  /** With Redis, or with workers: where there can be other nodes. */
  readonly events: EventBus | undefined;
  readonly scripts: (Cache & Scripts) | undefined;
  /** With Redis, which the existing daemon may use too. */
  readonly upstreamCaches: UpstreamCaches | undefined;
}

/** What nodes share besides database and storage: the cache and, where there can be other nodes, the events. */
export async function openShared(
  settings: Settings,
  nodeId: string,
  log: OwnedLog,
  closing: Closing,
  seat: WorkerSeat | undefined,
): Promise<Shared> {
  const onListenerError = (error: unknown) => log.error({ error }, 'a listener of a cache message failed');
  const servers = redisServers(settings);
  if (servers === undefined && seat !== undefined) {
    const cache = closing(openPrimaryCache({ channel: seat.channel, onListenerError }), (c) => c.close());
    const ours = log.child({ component: 'cache' });
    const events = closing(await EventBus.open({ cache, nodeId, log: ours }), (e) => e.close());
    return { cache, events, scripts: undefined, upstreamCaches: undefined };
  }
  if (servers === undefined) {
    return {
      cache: closing(openMemoryCache({ onListenerError }), (c) => c.close()),
      events: undefined,
      scripts: undefined,
      upstreamCaches: undefined,
    };
  }
  const ours = log.child({ component: 'cache' });
  const cache = closing(
    await openRedisCache({
      servers,
      prefix: settings.REDIS_KEY_PREFIX,
      onListenerError,
      onLost: (reason) =>
        ours.warn({ reason, servers: servers.mode }, 'Redis cannot be reached; it is tried again until it answers'),
      onBack: () => ours.info('Redis answers again'),
    }),
    (c) => c.close(),
  );
  const upstream = closing(new UpstreamCaches({ cache, log: ours }), (u) => u.close());
  const events = closing(await EventBus.open({ cache, nodeId, log: ours }), (e) => e.close());
  events.onOwnChange(({ table, key }) => upstream.forget(table, key));
  return { cache, scripts: cache, events, upstreamCaches: upstream };
}
