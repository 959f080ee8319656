/** Install, upgrade, uninstall (docs/wire/http-api.md#installing). */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { type AnyRoute, route } from '../route.ts';
import { requireUuid } from './bound-ids.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { InstallBody, RollbackBody, UninstallBody, UpgradeBody } from './records.ts';
import { schemas } from './schemas.ts';

const tag = 'Installation';

export function installingRoutes({ installation, database }: ManagementDependencies): readonly AnyRoute[] {
  const { installations } = installation;
  return [
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/identifiers',
      operationId: 'installPlugins',
      tag,
      summary: 'Installs uploaded packages for a tenant; what is not there yet becomes a task to watch.',
      request: InstallBody,
      audit: { action: 'plugin.install', subjects: ({ input }) => input.plugin_unique_identifiers ?? [] },
      data: schemas.installAnswer,
      handle: async ({ tenantId, input }) => {
        const identifiers = input.plugin_unique_identifiers ?? [];
        const metas = input.metas ?? [];
        if (metas.length !== identifiers.length) {
          throw badRequest('the number of metas must be equal to the number of plugin unique identifiers');
        }
        if (identifiers.length === 0) return { all_installed: true, task_id: '' };
        return installations.install({
          tenantId: requireUuid(tenantId),
          identifiers,
          metas: metas.map((meta) => meta ?? {}),
          source: input.source,
        });
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/upgrade',
      operationId: 'upgradePlugin',
      tag,
      summary: "Switches a tenant's plugin to another version, newer or older.",
      request: UpgradeBody,
      audit: {
        action: 'plugin.upgrade',
        subjects: ({ input }) => [
          `${input.original_plugin_unique_identifier} -> ${input.new_plugin_unique_identifier}`,
        ],
      },
      data: schemas.installAnswer,
      handle: async ({ tenantId, input }) => {
        const [original, target] = [input.original_plugin_unique_identifier, input.new_plugin_unique_identifier];
        if (original === target) throw badRequest('original and new plugin unique identifier are the same');
        if (parseUniqueIdentifier(original).pluginId !== parseUniqueIdentifier(target).pluginId) {
          throw badRequest('original and new plugin id are different');
        }
        return installations.upgrade({
          tenantId: requireUuid(tenantId),
          original,
          target,
          source: input.source,
          meta: input.meta ?? {},
        });
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/rollback',
      operationId: 'rollBackPlugin',
      tag,
      summary: "Switches a tenant's plugin back to the version before the last switch; once more leads forward again.",
      request: RollbackBody,
      exact: true,
      audit: { action: 'plugin.rollback', subjects: ({ input }) => [input.plugin_id] },
      data: schemas.installAnswer,
      handle: ({ tenantId, input }) => installations.rollback(requireUuid(tenantId), input.plugin_id),
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/uninstall',
      operationId: 'uninstallPlugin',
      tag,
      summary: 'Uninstalls a plugin; true also when there is none with this id.',
      request: UninstallBody,
      audit: {
        action: 'plugin.uninstall',
        subjects: async ({ tenantId, input: { plugin_installation_id: id } }) => {
          const installed = await database.installations.findById(requireUuid(tenantId), requireUuid(id));
          return [installed?.plugin_unique_identifier ?? id];
        },
      },
      data: schemas.done,
      handle: async ({ tenantId, input }) => {
        await installations.uninstall(requireUuid(tenantId), requireUuid(input.plugin_installation_id));
        return true;
      },
    }),
  ];
}

const badRequest = (message: string): DaemonError => new DaemonError('bad-request', message);
