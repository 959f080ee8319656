import { type JsonSchema, jsonSchemaOf } from '@plugin-daemon/wire-schema';
import type { AnyRoute } from '../route.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  /** The value may contain slashes as they are. */
  readonly 'x-rest'?: true;
}

const uuid: JsonSchema = { type: 'string', format: 'uuid' };
const text: JsonSchema = { type: 'string' };

/** What stands in paths; `tag name` where a name means different things. */
const meanings: Readonly<Record<string, { readonly description: string; readonly schema?: JsonSchema }>> = {
  tenant_id: { description: 'The tenant: a workspace of Dify, or any UUID of your own.', schema: uuid },
  'Assets id': { description: 'The asset id that a declaration carries, such as `icon`.' },
  'Install tasks id': { description: 'The task.', schema: uuid },
  identifier: { description: '`author/name:version@checksum`; slashes may stand as they are.' },
  category: {
    description: 'What the plugin is.',
    schema: { enum: ['tool', 'model', 'extension', 'agent-strategy', 'datasource', 'trigger'] },
  },
  hook_id: { description: 'The hook of an endpoint.' },
  session_id: {
    description: 'The id of an open call, as the list tells it and the header `X-Plugin-Session-Id` of its answer.',
  },
  path: { description: 'What the plugin is asked for; slashes stand as they are.' },
};

/** Everything beside the body: path, query, headers. */
export function parametersOf(route: AnyRoute, path: string): readonly Parameter[] {
  return [...pathParameters(route, path), ...headerParameters(route), ...queryParameters(route)];
}

function pathParameters(route: AnyRoute, path: string): readonly Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const meaning = meanings[name] ?? meanings[`${route.tag} ${name}`];
    return {
      name,
      in: 'path',
      required: true,
      ...(meaning !== undefined && { description: meaning.description }),
      schema: meaning?.schema ?? text,
      ...(name === route.rest && { 'x-rest': true as const }),
    };
  });
}

const headerParameters = ({ headers = {} }: AnyRoute): readonly Parameter[] =>
  Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    required: true,
    description,
    schema: text,
  }));

function queryParameters({ method, request }: AnyRoute): readonly Parameter[] {
  if (method !== 'GET' || request === undefined) return [];
  return request.fields.map(({ key, field }) => {
    const schema = jsonSchemaOf({ kind: 'record', name: '', fields: [{ key, field, via: [] }] });
    const properties: Readonly<Record<string, JsonSchema>> = Object.assign({}, schema['properties']);
    const { description, ...rest }: { description?: string } = { ...properties[key] };
    return {
      name: key,
      in: 'query',
      required: field.rules.some((rule) => rule.presence),
      ...(description !== undefined && { description }),
      schema: rest,
    };
  });
}
