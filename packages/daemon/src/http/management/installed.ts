/** Lists of what a tenant has installed (docs/wire/http-api.md#lists-and-packages). */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { InstallationRecord, ProjectionKind } from '../../database/index.ts';
import { type AnyRoute, type RawJson, route } from '../route.ts';
import { requireUuid } from './bound-ids.ts';
import { matcher } from './category-filter.ts';
import { DeclarationLookup, type Declared } from './declaration-lookup.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { JsonWriter } from './json-writer.ts';
import { CategoryList, CategoryRequest, Identifiers, Paging, PluginIds } from './records.ts';
import { schemas } from './schemas.ts';
import { WrittenLists } from './written-lists.ts';

const tag = 'Installed plugins';

/** The kinds with rows of their own; extensions are told by their declarations. */
const projectionOf: Readonly<Record<string, ProjectionKind | 'extension'>> = {
  tool: 'tool',
  model: 'model',
  extension: 'extension',
  'agent-strategy': 'agent_strategy',
  datasource: 'datasource',
  trigger: 'trigger',
};

export function installedRoutes(dependencies: ManagementDependencies): readonly AnyRoute[] {
  const { database } = dependencies;
  const { installations, projections } = database;
  const lookup = new DeclarationLookup(dependencies);
  const lists = new WrittenLists();
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/list',
      operationId: 'listInstallations',
      tag,
      summary: 'The installed plugins of a tenant with their declarations, newest first.',
      request: Paging,
      data: schemas.installationList,
      handle: async ({ tenantId, input }) => {
        const page = { page: input.page, pageSize: input.page_size };
        const [total, rows] = await Promise.all([
          installations.countByTenant(requireUuid(tenantId)),
          installations.listByTenant(tenantId, page),
        ]);
        const found = await lookup.of(rows);
        const tail = `,"total":${total}}`;
        return lists.get(`all ${tenantId} ${input.page} ${input.page_size}`, found, tail, () => list(found, tail));
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/installation/ids',
      operationId: 'listPluginIdsOfCategory',
      tag,
      summary: 'The plugin ids of a category, newest first.',
      request: CategoryRequest,
      data: schemas.pluginIds,
      handle: async ({ tenantId, input }) => {
        const kind = categoryOf(input.category);
        if (kind !== 'extension') return { plugin_ids: await projections.pluginIds(kind, requireUuid(tenantId)) };
        const rows = await lookup.of(await installations.listAllByTenant(requireUuid(tenantId)));
        const extensions = rows.filter((each) => each.declaration.facts.category === 'extension');
        return { plugin_ids: extensions.map((each) => each.row.plugin_id) };
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/:category/list',
      operationId: 'listInstallationsOfCategory',
      tag,
      summary: 'The installed plugins of one category, filtered by text and tags, newest first.',
      request: CategoryList,
      data: schemas.categoryList,
      handle: async ({ tenantId, params, input }) => {
        const category = params['category'] ?? '';
        categoryOf(category);
        const matches = matcher(category, input.query, input.tags ?? [], input.language);
        const rows = await lookup.of(await installations.listAllByTenant(requireUuid(tenantId)));
        const found = rows.filter((each) => matches(each.row.plugin_id, each.declaration.facts));
        const start = (input.page - 1) * input.page_size;
        const end = start + input.page_size;
        const page = found.slice(start, end);
        const tail = `,"has_more":${found.length > end}}`;
        const key = `${category} ${tenantId} ${JSON.stringify(input)}`;
        return lists.get(key, page, tail, () => list(page, tail));
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/installation/fetch/batch',
      operationId: 'findInstallations',
      tag,
      summary: 'The installations of the given plugin ids, with their declarations, in the order of installation.',
      request: PluginIds,
      data: schemas.installationBatch,
      handle: async ({ tenantId, input }) => {
        const pluginIds = input.plugin_ids ?? [];
        if (pluginIds.length === 0) return [];
        const rows = await lookup.of(await installations.findByPluginIds(requireUuid(tenantId), pluginIds));
        const json = new JsonWriter();
        json.array(rows, ({ row, declaration }) => {
          const { version, checksum } = parseUniqueIdentifier(row.plugin_unique_identifier);
          json.object({ ...row, version, checksum }, { declaration: declaration.json });
        });
        return json.toRawJson();
      },
    }),
    route({
      method: 'POST',
      group: 'plugin',
      path: '/management/installation/missing',
      operationId: 'listMissingPlugins',
      tag,
      summary: 'Those of the given versions that the tenant lacks or has in another version.',
      request: Identifiers,
      data: schemas.missing,
      handle: async ({ tenantId, input }) => {
        const identifiers = input.plugin_unique_identifiers ?? [];
        if (identifiers.length === 0) return [];
        const pluginIds = identifiers.map((each) => parseUniqueIdentifier(each).pluginId);
        const rows = await installations.findByPluginIds(requireUuid(tenantId), [...new Set(pluginIds)]);
        const current = new Map(rows.map((row) => [row.plugin_id, row.plugin_unique_identifier]));
        return identifiers.flatMap((identifier, i) => {
          const found = current.get(pluginIds[i] ?? '') ?? '';
          return found === identifier ? [] : [{ plugin_unique_identifier: identifier, current_identifier: found }];
        });
      },
    }),
    route({
      method: 'GET',
      group: 'plugin',
      path: '/management/models/bindings',
      operationId: 'listModelBindings',
      tag,
      summary: 'The model providers of a tenant and the installations behind them.',
      data: schemas.bindings,
      handle: async ({ tenantId }) => {
        const bindings = await projections.modelBindings(requireUuid(tenantId));
        const pluginIds = [...new Set(bindings.map((each) => each.plugin_id))];
        const rows = await lookup.of(await installations.findByPluginIds(tenantId, pluginIds));
        const installed = new Map(rows.map((each) => [each.row.plugin_id, each]));
        return bindings.flatMap((binding) => {
          const found = installed.get(binding.plugin_id);
          if (found === undefined) return [];
          return [
            {
              provider: binding.provider,
              installation_id: found.row.id,
              plugin_id: binding.plugin_id,
              plugin_unique_identifier: binding.plugin_unique_identifier,
              runtime_type: binding.runtime_type,
              source: found.row.source,
              version: parseUniqueIdentifier(binding.plugin_unique_identifier).version,
              verified: found.declaration.facts.verified,
            },
          ];
        });
      },
    }),
  ];
}

function categoryOf(text: string): ProjectionKind | 'extension' {
  const kind = Object.hasOwn(projectionOf, text) ? projectionOf[text] : undefined;
  if (kind === undefined) throw new DaemonError('bad-request', 'invalid plugin category');
  return kind;
}

/** `{"list":[…]` and what follows it. */
function list(rows: readonly Declared<InstallationRecord>[], tail: string): RawJson {
  const json = new JsonWriter().add('{"list":');
  json.array(rows, ({ row, declaration }) => {
    const { name, version } = declaration.facts;
    const { checksum } = parseUniqueIdentifier(row.plugin_unique_identifier);
    json.object({ ...row, name, version, checksum, installation_id: row.id }, { declaration: declaration.json });
  });
  return json.add(tail).toRawJson();
}
