/** Providers by kind, with their part of the declaration (docs/wire/http-api.md#providers). */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isRemoteLike } from '@plugin-daemon/plugin-package';
import type { ProjectionKind, ProjectionRecord, RuntimeType } from '../../database/index.ts';
import { type AnyRoute, route } from '../route.ts';
import { requireUuid } from './bound-ids.ts';
import { DeclarationLookup, type Declared } from './declaration-lookup.ts';
import type { ManagementDependencies } from './dependencies.ts';
import { JsonWriter } from './json-writer.ts';
import { ExistenceBody, Paging, ProviderRequest } from './records.ts';
import { schemas } from './schemas.ts';
import { WrittenLists } from './written-lists.ts';

const tag = 'Providers';

interface Kind {
  readonly kind: ProjectionKind;
  readonly plural: string;
  readonly singular?: string;
  readonly noun: string;
  /** In the names of operations. */
  readonly name: string;
  /** The manifest's `meta` goes along. */
  readonly withMeta?: boolean;
}

const kinds: readonly Kind[] = [
  { kind: 'tool', plural: 'tools', singular: 'tool', noun: 'tool', name: 'Tool' },
  { kind: 'model', plural: 'models', noun: 'model', name: 'Model' },
  {
    kind: 'agent_strategy',
    plural: 'agent_strategies',
    singular: 'agent_strategy',
    noun: 'agent strategy',
    name: 'AgentStrategy',
    withMeta: true,
  },
  { kind: 'datasource', plural: 'datasources', singular: 'datasource', noun: 'datasource', name: 'Datasource' },
  { kind: 'trigger', plural: 'triggers', singular: 'trigger', noun: 'trigger', name: 'Trigger' },
];

export function providerRoutes(dependencies: ManagementDependencies): readonly AnyRoute[] {
  const lookup = new DeclarationLookup(dependencies);
  const lists = new WrittenLists();
  const existence = route({
    method: 'POST',
    group: 'plugin',
    path: '/management/tools/check_existence',
    operationId: 'checkToolsExistence',
    tag,
    summary: 'Whether the tenant has each of the given tool providers, in the order of the request.',
    request: ExistenceBody,
    data: { type: 'array', items: { type: 'boolean' } },
    handle: async ({ tenantId, input }) => {
      const wanted = input.provider_ids ?? [];
      const pluginIds = [...new Set(wanted.map((each) => each.plugin_id))];
      const { projections } = dependencies.database;
      const rows = await projections.findByPluginIds('tool', requireUuid(tenantId), pluginIds);
      return wanted.map((each) =>
        rows.some((row) => row.plugin_id === each.plugin_id && row.provider === each.provider_name),
      );
    },
  });
  return [...kinds.flatMap((kind) => kindRoutes(kind, dependencies, lookup, lists)), existence];
}

function kindRoutes(
  kind: Kind,
  dependencies: ManagementDependencies,
  lookup: DeclarationLookup,
  lists: WrittenLists,
): readonly AnyRoute[] {
  const { projections } = dependencies.database;
  const all = route({
    method: 'GET',
    group: 'plugin',
    path: `/management/${kind.plural}`,
    operationId: `list${kind.name}Providers`,
    tag,
    summary: `The ${kind.noun} providers of a tenant, newest first.`,
    request: Paging,
    data: schemas.providers,
    handle: async ({ tenantId, input }) => {
      const page = { page: input.page, pageSize: input.page_size };
      const rows = await projections.list(kind.kind, requireUuid(tenantId), page);
      const found = await lookup.of(rows.map(withRuntime));
      return lists.get(`${kind.kind} ${tenantId} ${input.page} ${input.page_size}`, found, '', () => {
        const json = new JsonWriter();
        json.array(found, (each) => write(json, kind, each));
        return json.toRawJson();
      });
    },
  });
  if (kind.singular === undefined) return [all];
  const one = route({
    method: 'GET',
    group: 'plugin',
    path: `/management/${kind.singular}`,
    operationId: `get${kind.name}Provider`,
    tag,
    summary: `One ${kind.noun} provider.`,
    request: ProviderRequest,
    data: schemas.provider,
    handle: async ({ tenantId, input }) => {
      const row = await projections.find(kind.kind, requireUuid(tenantId), input.plugin_id);
      if (row === undefined || row.provider !== input.provider) throw notFound();
      const [found] = await lookup.of([withRuntime(row)]);
      if (found === undefined) throw new DaemonError('internal', 'plugin not found');
      const json = new JsonWriter();
      write(json, kind, found);
      return json.toRawJson();
    },
  });
  return [all, one];
}

type ProjectionRow = ProjectionRecord & { readonly runtime_type: RuntimeType };

/** Projections do not say where a plugin runs; the identifier of one under development does. */
const withRuntime = (row: ProjectionRecord): ProjectionRow => ({
  ...row,
  runtime_type: isRemoteLike(row.plugin_unique_identifier) ? 'remote' : 'local',
});

function write(json: JsonWriter, kind: Kind, { row, declaration }: Declared<ProjectionRow>): void {
  const { runtime_type: _, ...members } = row;
  json.object(members, {
    declaration: declaration.part(kind.kind) ?? 'null',
    meta: kind.withMeta === true ? (declaration.part('meta') ?? '{}') : undefined,
  });
}

const notFound = (): DaemonError => new DaemonError('plugin-not-found', 'plugin not found');
