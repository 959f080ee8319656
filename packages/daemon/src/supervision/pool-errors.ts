import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PoolPolicy } from './policy.ts';

/** What calls are told that wait for a plugin which is let go. */
export const stopped = (): DaemonError =>
  new DaemonError('runtime-unavailable', 'the plugin was stopped: plugin runtime not found');

/** Too many calls wait already. */
export const overloaded = (identifier: string, instances: number, { limit, queue }: PoolPolicy): DaemonError =>
  new DaemonError(
    'overloaded',
    `no available node: the plugin ${identifier} has more calls than it can take: ${instances} instances with up to ${limit} calls each are busy, and ${queue} calls wait`,
    {
      remedy: 'Try again soon; raise PLUGIN_INSTANCES_MAX, PLUGIN_INSTANCE_CALLS_MAX or PLUGIN_QUEUE_MAX for this load',
      args: { limit: queue, setting: 'PLUGIN_QUEUE_MAX' },
    },
  );
