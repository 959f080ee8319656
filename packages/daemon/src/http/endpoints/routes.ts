import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { int, max, object, record, required, rule, string } from '@plugin-daemon/wire-schema';
import type { EndpointService } from '../../endpoints/index.ts';
import { type AnyRoute, route } from '../route.ts';
import { endpointListSchema } from './schema.ts';

export interface EndpointRoutesDeps {
  readonly endpoints: Pick<EndpointService, 'setup' | 'update' | 'remove' | 'setEnabled' | 'list' | 'listByPlugin'>;
}

const Setup = record('', {
  plugin_unique_identifier: string('PluginUniqueIdentifier')
    .check(
      required,
      rule('plugin_unique_identifier', (value) => typeof value === 'string' && isUniqueIdentifier(value)),
    )
    .describe('The installed plugin version'),
  user_id: string('UserID').check(required),
  settings: object('Settings').describe('Values of the declared settings, secrets in the clear; default {}'),
  name: string('Name').check(required),
});

const Update = record('', {
  endpoint_id: string('EndpointID').check(required),
  user_id: string('UserID').check(required).describe('Must be there; the stored user stays'),
  settings: object('Settings').describe(
    'The whole new settings; a secret that equals its masked form keeps its stored value',
  ),
  name: string('Name').check(required),
});

const One = record('', { endpoint_id: string('EndpointID').check(required) });

const page = {
  page: int('Page').check(required).describe('From 1'),
  page_size: int('PageSize').check(required, max(100)).describe('At most 100'),
};
const List = record('', page);
const ListByPlugin = record('', {
  plugin_id: string('PluginID').check(required).describe('`author/name`'),
  ...page,
});

const done = { const: true } as const;

/** The route table of endpoint management. */
export function endpointRoutes({ endpoints }: EndpointRoutesDeps): readonly AnyRoute[] {
  const common = { group: 'plugin', tag: 'Endpoints' } as const;
  return [
    route({
      ...common,
      method: 'POST',
      path: '/endpoint/setup',
      operationId: 'setupEndpoint',
      summary: 'Set up an endpoint: a webhook of an installed plugin with its settings',
      request: Setup,
      data: done,
      async handle({ tenantId, input }) {
        await endpoints.setup({
          tenantId,
          userId: input.user_id,
          identifier: input.plugin_unique_identifier,
          name: input.name,
          settings: input.settings ?? {},
        });
        return true;
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/endpoint/update',
      operationId: 'updateEndpoint',
      summary: 'Replace the name and settings of an endpoint',
      request: Update,
      data: done,
      async handle({ tenantId, input }) {
        await endpoints.update({
          tenantId,
          userId: input.user_id,
          endpointId: input.endpoint_id,
          name: input.name,
          settings: input.settings ?? {},
        });
        return true;
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/endpoint/remove',
      operationId: 'removeEndpoint',
      summary: 'Remove an endpoint',
      request: One,
      data: done,
      async handle({ tenantId, input }) {
        await endpoints.remove(tenantId, input.endpoint_id);
        return true;
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/endpoint/enable',
      operationId: 'enableEndpoint',
      summary: 'Enable an endpoint',
      request: One,
      data: done,
      async handle({ tenantId, input }) {
        await endpoints.setEnabled(tenantId, input.endpoint_id, true);
        return true;
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/endpoint/disable',
      operationId: 'disableEndpoint',
      summary: 'Disable an endpoint: its webhook answers 404',
      request: One,
      data: done,
      async handle({ tenantId, input }) {
        await endpoints.setEnabled(tenantId, input.endpoint_id, false);
        return true;
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/endpoint/list',
      operationId: 'listEndpoints',
      summary: 'List the endpoints of a tenant, newest first, secrets masked',
      request: List,
      data: endpointListSchema,
      handle: ({ tenantId, input }) => endpoints.list(tenantId, { page: input.page, pageSize: input.page_size }),
    }),
    route({
      ...common,
      method: 'GET',
      path: '/endpoint/list/plugin',
      operationId: 'listEndpointsOfPlugin',
      summary: 'List the endpoints of one plugin, newest first, secrets masked',
      request: ListByPlugin,
      data: endpointListSchema,
      handle: ({ tenantId, input }) =>
        endpoints.listByPlugin(tenantId, input.plugin_id, { page: input.page, pageSize: input.page_size }),
    }),
  ];
}
