/** How the processes of single plugins are kept, and what runs of them on which node. */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject, messageOf } from '@plugin-daemon/values';
import { int, max, nullable, record, required, string } from '@plugin-daemon/wire-schema';
import {
  checkPluginId,
  type LocalSupervisor,
  type PluginPolicies,
  policyFields,
  readPolicy,
} from '../../supervision/index.ts';
import type { NodeCalls } from '../handover.ts';
import { askOthers, rowsOf, SILENT_NODES_HEADER, tellOfSilent } from '../other-nodes.ts';
import { type AnyRoute, route } from '../route.ts';

export interface PluginPolicyDependencies {
  readonly policies: Pick<PluginPolicies, 'list' | 'set'>;
  readonly supervisor: Pick<LocalSupervisor, 'pools'>;
  /** How each version was started last on this node, and why so. */
  readonly starts?: () => Readonly<Record<string, string>>;
  /** What this node is called. */
  readonly nodeName?: string;
  /** The other nodes; absent where there can be none. */
  readonly nodes?: NodeCalls | undefined;
}

const count = (name: keyof typeof policyFields) => ({
  type: 'integer',
  minimum: policyFields[name][0],
  maximum: policyFields[name][1],
});
const policy = {
  title: 'PluginPolicy',
  type: 'object',
  properties: {
    min: count('min'),
    max: count('max'),
    idle_seconds: count('idle_seconds'),
    calls_target: count('calls_target'),
    calls_max: count('calls_max'),
    queue_max: count('queue_max'),
    calls_per_minute: count('calls_per_minute'),
    breaker_failures: count('breaker_failures'),
    breaker_open_seconds: count('breaker_open_seconds'),
  },
} as const;

const SetPolicy = record('', {
  plugin_id: string('PluginID').check(required, max(255)).describe('`author/name`'),
  min: nullable(int('Min')).describe('Processes that run whether anybody calls or not.'),
  max: nullable(int('Max')).describe('Processes at most.'),
  idle_seconds: nullable(int('IdleSeconds')).describe('Without a call for so long it stops; 0: never.'),
  calls_target: nullable(int('CallsTarget')).describe('Open calls that one process is meant to bear.'),
  calls_max: nullable(int('CallsMax')).describe('Open calls that one process takes at most.'),
  queue_max: nullable(int('QueueMax')).describe('Calls that may wait.'),
  calls_per_minute: nullable(int('CallsPerMinute')).describe('Calls that a tenant may make in a minute; 0: no limit.'),
  breaker_failures: nullable(int('BreakerFailures')).describe(
    'After so many calls of a tenant failed in a row, further ones are refused for a while; 0: never.',
  ),
  breaker_open_seconds: nullable(int('BreakerOpenSeconds')).describe('How long they are refused.'),
});

const states = ['stopped', 'asleep', 'starting', 'running', 'waiting'] as const;
const text = { type: 'string' } as const;
const tag = 'Admin';

export function pluginPolicyRoutes({
  policies,
  supervisor,
  starts = () => ({}),
  nodeName = '',
  nodes,
}: PluginPolicyDependencies): readonly AnyRoute[] {
  return [
    route({
      method: 'GET',
      group: 'admin',
      path: '/plugins/processes',
      operationId: 'listPluginProcesses',
      tag,
      summary: 'What runs of each plugin version on each node, what sleeps, and how many calls wait.',
      description: `Nodes that did not answer are named in the header \`${SILENT_NODES_HEADER}\`: what runs there is missing.`,
      data: {
        type: 'array',
        items: {
          title: 'PluginProcesses',
          type: 'object',
          properties: {
            plugin_unique_identifier: text,
            state: { enum: states },
            instances: { type: 'integer' },
            open_calls: { type: 'integer' },
            waiting_calls: { type: 'integer' },
            problem: { type: ['string', 'null'] },
            start: {
              type: ['string', 'null'],
              description:
                'How it was started last: `forked`, `templated`, or `plain` with the reason, as at `/readyz`; null: not yet, or by another version of the daemon.',
            },
            node: { type: 'string', description: 'NODE_NAME.' },
          },
          required: [
            'plugin_unique_identifier',
            'state',
            'instances',
            'open_calls',
            'waiting_calls',
            'problem',
            'start',
            'node',
          ],
        },
      },
      handle: async (call) => {
        const started = starts();
        const own = supervisor.pools().map((pool) => ({
          ...pool,
          start: started[pool.plugin_unique_identifier] ?? null,
          node: nodeName,
        }));
        const others = await askOthers(nodes, call.request);
        tellOfSilent(others, call);
        return [...own, ...rowsOf(others, readProcesses)];
      },
    }),
    route({
      method: 'GET',
      group: 'admin',
      path: '/plugins/policies',
      operationId: 'listPluginPolicies',
      tag,
      summary:
        'How the processes of single plugins are kept: what was said through this API, and by the file of this node.',
      data: {
        type: 'array',
        items: {
          title: 'PluginPolicyRow',
          type: 'object',
          properties: { plugin_id: text, from: { enum: ['api', 'file'] }, policy },
          required: ['plugin_id', 'from', 'policy'],
        },
      },
      handle: () => policies.list(),
    }),
    route({
      method: 'PUT',
      group: 'admin',
      path: '/plugins/policies',
      operationId: 'setPluginPolicy',
      tag,
      summary: 'Say how the processes of a plugin are kept, on all nodes, from now on.',
      description: 'What is not given is as the file of a node and the settings have it; nothing given: all of it.',
      audit: { action: 'plugin.policy', subjects: ({ input }) => [input.plugin_id] },
      request: SetPolicy,
      exact: true,
      data: { const: true },
      errorStatus: 'kind',
      handle: async ({ input: { plugin_id: pluginId, ...given } }) => {
        await policies.set(pluginId, checked(pluginId, given));
        return true;
      },
    }),
  ];
}

function checked(pluginId: string, given: unknown): ReturnType<typeof readPolicy> {
  try {
    checkPluginId(pluginId);
    return readPolicy(given);
  } catch (error) {
    throw new DaemonError('bad-request', messageOf(error));
  }
}

/** What another node says of a pool. */
function readProcesses(
  row: unknown,
  node: string,
): (ReturnType<LocalSupervisor['pools']>[number] & { start: string | null; node: string }) | undefined {
  if (!isObject(row)) return undefined;
  const { plugin_unique_identifier, instances, open_calls, waiting_calls, problem, start } = row;
  const state = states.find((one) => one === row['state']);
  if (state === undefined || typeof plugin_unique_identifier !== 'string') return undefined;
  if (typeof instances !== 'number' || typeof open_calls !== 'number' || typeof waiting_calls !== 'number')
    return undefined;
  const known = typeof problem === 'string' ? problem : null;
  const started = typeof start === 'string' ? start : null;
  return {
    plugin_unique_identifier,
    state,
    instances,
    open_calls,
    waiting_calls,
    problem: known,
    start: started,
    node,
  };
}
