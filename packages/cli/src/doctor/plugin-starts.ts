/** How a daemon's plugins are started: from parents, which takes a tenth of the time, or plainly, and why. */
import type { DaemonClient } from '@plugin-daemon/client';
import { isObject } from '@plugin-daemon/values';

const SHOWN = 3;
const LONGEST = 200;

interface Found {
  readonly verdict: 'ok' | 'warning';
  readonly detail: string;
  readonly remedy?: string;
}

/** @param client of a daemon that takes its key. Rejects as its calls do */
export async function pluginStarts(client: DaemonClient, signal: AbortSignal): Promise<Found> {
  const { starts, parents } = await client.call('getReadiness', {}, { signal });
  const ways = Object.values(isObject(starts) ? starts : {}).map(String);
  const forked = ways.filter((way) => /^(?:forked|templated)\b/.test(way)).length;
  const ready = Array.isArray(parents) ? parents.filter((one) => isObject(one) && one.state === 'ready') : [];
  const failed = Array.isArray(parents) ? parents.filter((one) => isObject(one) && one.state === 'failed') : [];
  const reasons = countedReasons(ways.filter((way) => way !== 'forked' && way !== 'templated'));
  const detail = [
    `${forked} of ${ways.length} plugins were forked, from ${ready.length} parents`,
    ...reasons.slice(0, SHOWN),
    ...(reasons.length > SHOWN ? [`and ${reasons.length - SHOWN} more reasons at /readyz`] : []),
  ].join('; ');
  const [first] = failed;
  if (first === undefined) return { verdict: 'ok', detail };
  return {
    verdict: 'warning',
    detail: `${detail}; the parent for SDK ${String(first.sdk)} failed: ${String(first.reason ?? '').slice(0, LONGEST)}`,
    remedy:
      'plugins run all the same, started plainly; delete cwd/.parents below the data directory if the reason is a damaged file',
  };
}

/** The same reason once, with how many plugins have it; the most frequent first. */
function countedReasons(ways: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const way of ways) counts.set(way, (counts.get(way) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([way, count]) => `${count} ${way.slice(0, LONGEST)}`);
}
