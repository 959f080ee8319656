/** Install tasks (docs/wire/http-api.md#install-tasks). */

import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { type AnyRoute, route } from '../route.ts';
import { requireUuid } from './bound-ids.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { Paging } from './records.ts';
import { schemas } from './schemas.ts';

const tag = 'Install tasks';

export function taskRoutes({ database, installation }: ManagementDependencies): readonly AnyRoute[] {
  const { jobs } = installation;
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/install/tasks',
      operationId: 'listInstallTasks',
      tag,
      summary: 'The install tasks of a tenant, newest first.',
      request: Paging,
      data: schemas.tasks,
      handle: ({ tenantId, input }) =>
        database.installTasks.list(requireUuid(tenantId), { page: input.page, pageSize: input.page_size }),
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/install/tasks/:id',
      operationId: 'getInstallTask',
      tag,
      summary: 'One install task with the step each plugin is in.',
      data: schemas.task,
      handle: async ({ tenantId, params }) => {
        const task = await database.installTasks.find(requireUuid(tenantId), requireUuid(params['id'] ?? ''));
        if (task === undefined) throw new DaemonError('internal', 'record not found');
        return task;
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/tasks/delete_all',
      operationId: 'deleteAllInstallTasks',
      tag,
      summary: 'Deletes all install tasks of a tenant and stops what they were doing.',
      data: schemas.done,
      handle: async ({ tenantId }) => {
        await jobs.deleteAll(requireUuid(tenantId));
        return true;
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/tasks/:id/delete',
      operationId: 'deleteInstallTask',
      tag,
      summary: 'Deletes an install task and stops what it was doing.',
      data: schemas.done,
      handle: async ({ tenantId, params }) => {
        await jobs.delete(requireUuid(tenantId), requireUuid(params['id'] ?? ''));
        return true;
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/install/tasks/:id/delete/*',
      operationId: 'deleteInstallTaskItem',
      rest: 'identifier',
      tag,
      summary: 'Deletes one plugin from an install task and stops its installation.',
      data: schemas.done,
      handle: async ({ tenantId, params }) => {
        const identifier = (params['*'] ?? '').replace(/^\/+/, '');
        checkIdentifier(identifier);
        await jobs.deleteItem(requireUuid(tenantId), requireUuid(params['id'] ?? ''), identifier);
        return true;
      },
    }),
  ];
}

function checkIdentifier(text: string): void {
  try {
    parseUniqueIdentifier(text);
  } catch (error) {
    throw new DaemonError('bad-request', toDaemonError(error).message);
  }
}
