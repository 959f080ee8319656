/** What the health routes tell: figures, problems of parts, and how plugins were started and are held in. */
import { messageOf } from '@plugin-daemon/values';
import type { Cache } from '../cache/index.ts';
import type { Settings } from '../config/index.ts';
import type { Database } from '../database/index.ts';
import { type HealthFigures, type HealthState, healthRoutes } from '../http/health/index.ts';
import type { AnyRoute } from '../http/index.ts';
import type { Invocations } from '../invocation/index.ts';
import type { ObjectStorage } from '../storage/index.ts';
import { VERSION } from '../version.ts';
import type { Foundation } from './foundation.ts';
import type { Nodes } from './nodes.ts';
import type { observeRequests } from './observation.ts';
import type { Plugins } from './plugins.ts';
import type { Shutdown } from './shutdown.ts';
import type { Siblings } from './worker-siblings.ts';

export interface HealthParts extends Foundation, Plugins {
  readonly settings: Settings;
  readonly invocations: Invocations;
  /** The other nodes; undefined while there can be none. */
  readonly nodes: Nodes | undefined;
  readonly shutdown: Shutdown;
  /** The other workers of this daemon; undefined for one alone. */
  readonly siblings: Siblings | undefined;
}

export function healthOf(
  {
    settings,
    metrics,
    database,
    cache,
    objects,
    invocations,
    supervisor,
    cages,
    startedBy,
    parents,
    nodes,
    shutdown,
    siblings,
  }: HealthParts,
  requests: ReturnType<typeof observeRequests>,
): readonly AnyRoute[] {
  const figures = async (): Promise<HealthFigures> => ({
    requests: requests.active(),
    dispatches: requests.activeDispatches(),
    sessions: invocations.openSessions,
  });
  const state = async (): Promise<HealthState> => ({
    problems: {
      parts: {
        ...(await databaseProblem(database)),
        ...cacheProblem(cache),
        ...nodesProblem(nodes),
        ...(shutdown.begun && { stopping: 'this node is stopping' }),
        ...(await storageProblem(objects)),
      },
      plugins: supervisor.problems(),
    },
    isolation: Object.fromEntries([...cages.inForce].map(([identifier, { mode }]) => [identifier, mode])),
    starts: startsOf(startedBy),
    parents: parents?.facts() ?? [],
  });
  return healthRoutes({
    version: VERSION,
    buildTime: '',
    platform: settings.PLATFORM,
    poolSize: settings.ROUTINE_POOL_SIZE,
    figures: siblings?.ofAll('figures', figures) ?? figures,
    state: siblings?.ofAll('state', state) ?? state,
    metrics: settings.PROMETHEUS_ENABLED
      ? async () => ({
          type: metrics.contentType,
          text: await (siblings === undefined ? metrics.render() : siblings.metricsOfAll()),
        })
      : undefined,
  });
}

export const startsOf = (startedBy: HealthParts['startedBy']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...startedBy].map(([identifier, { way, reason, alone }]) => [
      identifier,
      reason !== undefined
        ? `${way}: ${reason}`
        : alone !== undefined
          ? `${way}, and no template for further processes: ${alone}`
          : way,
    ]),
  );

async function databaseProblem(database: Database): Promise<{ readonly database?: string }> {
  try {
    await database.ping();
    return {};
  } catch (error) {
    return { database: messageOf(error) };
  }
}

function cacheProblem(cache: Cache): { readonly cache?: string } {
  const problem = cache.problem();
  return problem === undefined ? {} : { cache: `Redis cannot be reached: ${problem}` };
}

function nodesProblem(nodes: Nodes | undefined): { readonly cluster?: string } {
  const problem = nodes?.problem();
  return problem === undefined ? {} : { cluster: problem };
}

async function storageProblem(objects: ObjectStorage): Promise<{ readonly storage?: string }> {
  const problem = await objects.problem();
  return problem === undefined ? {} : { storage: problem };
}
