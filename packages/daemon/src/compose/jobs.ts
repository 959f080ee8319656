/** The work that one node does for all: where it waits, what is seen of it. */
import type { Settings } from '../config/index.ts';
import { type JobQueue, openMemoryJobs, openPrimaryJobs, openRedisJobs } from '../jobs/index.ts';
import type { Membership } from '../nodes/index.ts';
import type { Log, Metrics } from '../telemetry/index.ts';
import { redisServers } from './redis.ts';
import { sharesThroughPrimary, type WorkerSeat } from './worker-seat.ts';

const COUNT_EVERY_MS = 10_000;

export async function openJobs(
  settings: Settings,
  metrics: Metrics,
  log: Log,
  seat: WorkerSeat | undefined,
  nodes: Pick<Membership, 'list'> | undefined,
): Promise<JobQueue> {
  const options = {
    log: log.child({ component: 'jobs' }),
    // What a node cannot do at once is for the others.
    concurrency: Math.max(2, settings.PLUGIN_LOCAL_LAUNCHING_CONCURRENT),
    onEnd: ({ kind, outcome }: { readonly kind: string; readonly outcome: string }) =>
      metrics.jobs_total.inc({ kind, outcome }),
  };
  if (sharesThroughPrimary(settings, seat)) return openPrimaryJobs({ ...options, channel: seat.channel });
  const servers = redisServers(settings);
  return servers === undefined
    ? openMemoryJobs(options)
    : await openRedisJobs({
        ...options,
        servers,
        prefix: settings.REDIS_KEY_PREFIX,
        // A front node runs no plugins.
        leavesTo:
          settings.NODE_ROLE === 'front'
            ? () => nodes?.list().some(({ role, foreign }) => role !== 'front' && !foreign) ?? false
            : undefined,
      });
}

/** Shows how many jobs there are. @returns ends it */
export function observeJobs(queue: JobQueue, metrics: Metrics): () => void {
  const look = async () => {
    // Redis that is away is told elsewhere; the figures of before would be wrong.
    const counts = await queue.counts().catch(() => ({ waiting: 0, active: 0, delayed: 0 }));
    for (const [state, count] of Object.entries(counts)) metrics.jobs.set({ state }, count);
  };
  void look();
  const timer = setInterval(() => void look(), COUNT_EVERY_MS).unref();
  return () => clearInterval(timer);
}
