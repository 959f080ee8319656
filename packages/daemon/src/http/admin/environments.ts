/** The Python environments of this node: what plugins share, and what nobody uses any more. */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { boolean, int, nullable, record } from '@plugin-daemon/wire-schema';
import type { EnvironmentCare } from '../../supervision/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface EnvironmentDependencies {
  readonly environments: EnvironmentCare;
}

const Collect = record('', {
  remove: boolean('Remove').describe('Remove it; without, it is only listed.'),
  unused_hours: nullable(int('UnusedHours')).describe(
    'Only what is older; PLUGIN_ENVIRONMENT_RETENTION unless given, and a week where that is 0.',
  ),
});

const text = { type: 'string' } as const;
const count = { type: 'integer' } as const;
const found = {
  type: 'array',
  items: {
    title: 'CollectedFiles',
    type: 'object',
    properties: { name: text, bytes: count, removed: { type: 'boolean' } },
    required: ['name', 'bytes', 'removed'],
  },
} as const;
const tag = 'Admin';

export function environmentRoutes({ environments }: EnvironmentDependencies): readonly AnyRoute[] {
  return [
    route({
      method: 'GET',
      group: 'admin',
      path: '/environments',
      operationId: 'listEnvironments',
      tag,
      summary: 'The Python environments that plugins share on this node, and how many refer to each.',
      data: {
        type: 'array',
        items: {
          title: 'SharedEnvironment',
          type: 'object',
          properties: { name: text, bytes: count, plugins: count, sdk: { type: ['string', 'null'] }, python: text },
          required: ['name', 'bytes', 'plugins', 'sdk', 'python'],
        },
      },
      handle: () => environments.list(),
    }),
    route({
      method: 'POST',
      group: 'admin',
      path: '/environments/collect',
      operationId: 'collectEnvironments',
      tag,
      summary: 'List, or remove, what of plugins and environments nobody uses any more on this node.',
      description:
        'Directories of plugin versions that no tenant has installed, and environments that no directory refers to.',
      request: Collect,
      exact: true,
      audit: { action: 'environments.collect', subjects: ({ input }) => (input.remove ? ['removed'] : ['listed']) },
      data: {
        title: 'EnvironmentCollection',
        type: 'object',
        properties: { directories: found, environments: found, bytecode_bytes: count },
        required: ['directories', 'environments', 'bytecode_bytes'],
      },
      errorStatus: 'kind',
      handle: async ({ input: { remove, unused_hours: hours } }) => {
        if (hours !== null && hours < 0) throw new DaemonError('bad-request', 'unused_hours is less than 0');
        const {
          directories,
          environments: shared,
          bytecodeBytes,
        } = await environments.collect({
          dryRun: !remove,
          ...(hours !== null && { hours }),
        });
        return { directories, environments: shared, bytecode_bytes: bytecodeBytes };
      },
    }),
  ];
}
