import { type JsonSchema, jsonSchemaOf, type RecordType } from '@plugin-daemon/wire-schema';
import type { AnyRoute, RouteGroup } from '../route.ts';
import type { Components } from './components.ts';
import { errorEnvelope, type errorStatuses } from './errors.ts';
import { examples } from './examples.ts';
import { type Parameter, parametersOf } from './parameters.ts';

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: JsonSchema;
  readonly responses: Readonly<Record<string, JsonSchema>>;
}

const keys: Readonly<Record<RouteGroup, Operation['security']>> = {
  plugin: [{ serverKey: [] }],
  direct: [{ serverKey: [] }],
  admin: [{ adminKey: [] }],
  details: [{}, { serverKey: [] }],
  probe: [{}, { serverKey: [] }],
  public: [],
};

export function operationOf(route: AnyRoute, path: string, components: Components): Operation {
  const { operationId, tag, summary, group, aliases } = route;
  if (operationId === undefined) throw new Error(`${route.method} ${path} has no operationId`);
  const parameters = parametersOf(route, path);
  const requestBody = requestBodyOf(route, operationId, components);
  const description = [
    route.description,
    aliases === undefined
      ? undefined
      : `Also at ${aliases.map((alias) => `\`${alias.replace(/:(\w+)/g, '{$1}')}\``).join(', ')}.`,
  ].filter((part) => part !== undefined);
  return {
    operationId,
    tags: [tag],
    summary: summary.replace(/\.$/, ''),
    ...(description.length > 0 && { description: description.join('\n\n') }),
    security: keys[group],
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody !== undefined && { requestBody }),
    responses: responsesOf(route, operationId, components),
  };
}

function requestBodyOf(route: AnyRoute, operationId: string, components: Components): JsonSchema | undefined {
  if (route.multipart !== undefined) return multipartBody(route.multipart);
  if (route.method === 'GET' || route.method === 'HEAD') return undefined;
  if (isWebhook(route)) return { description: 'Passed on as it is.', content: { '*/*': {} } };
  if (route.request === undefined) return undefined;
  const example = examples[operationId]?.request;
  return {
    required: true,
    content: {
      'application/json': {
        schema: components.refer(jsonSchemaOf(withoutTenant(route, route.request))),
        ...(example !== undefined && { example }),
      },
    },
  };
}

/** The tenant of the path counts, whatever the body says. */
const withoutTenant = ({ group }: AnyRoute, type: RecordType): RecordType =>
  group === 'plugin' ? { ...type, fields: type.fields.filter(({ key }) => key !== 'tenant_id') } : type;

/** Fields whose description begins with `true` are switches; the others are files. */
function multipartBody(fields: Readonly<Record<string, string>>): JsonSchema {
  const isSwitch = (description: string) => description.startsWith('`true`');
  return {
    required: true,
    content: {
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(fields).map(([name, description]) => [
              name,
              isSwitch(description)
                ? { enum: ['true', 'false'], description }
                : { type: 'string', contentMediaType: 'application/octet-stream', description },
            ]),
          ),
          required: Object.keys(fields).filter((name) => !isSwitch(fields[name] ?? '')),
        },
      },
    },
  };
}

const isWebhook = ({ produces }: AnyRoute): boolean => produces === '*/*';

function responsesOf(route: AnyRoute, operationId: string, components: Components): Operation['responses'] {
  const responses: Record<string, JsonSchema> = {};
  if (isWebhook(route)) responses['default'] = { description: 'What the plugin answers.', content: { '*/*': {} } };
  else responses['200'] = success(route, operationId, components);
  for (const [status, description] of Object.entries(route.alsoWith ?? {}))
    responses[status] = { ...responses['200'], description };
  if (route.produces === 'application/octet-stream')
    responses['304'] = { description: 'Unchanged since the ETag of `If-None-Match`.' };
  for (const status of errorsOf(route)) responses[status] = { $ref: `#/components/responses/Error${status}` };
  return responses;
}

function success(route: AnyRoute, operationId: string, components: Components): JsonSchema {
  const produces = route.produces ?? 'application/json';
  const example = examples[operationId]?.data;
  const withExample = example !== undefined && { example: { code: 0, message: 'success', data: example } };
  if (produces === 'text/event-stream') {
    return {
      description:
        'A stream: `data: ` and an envelope for each message, in one line with an empty line after it. It ends with the connection’s body; an envelope with a negative `code` is the last event.',
      content: {
        [produces]: {
          schema: { type: 'string' },
          'x-event-schema': envelope(route.data ?? {}, components),
          ...(example !== undefined && {
            example: `data: ${JSON.stringify({ code: 0, message: 'success', data: example })}\n\n`,
          }),
        },
      },
    };
  }
  if (route.body !== undefined)
    return { description: 'The answer.', content: { [produces]: { schema: components.refer(route.body) } } };
  if (produces !== 'application/json') return { description: 'The content.', content: { [produces]: {} } };
  return {
    description: 'The result, or an error of the operation itself: `code` tells.',
    content: { [produces]: { schema: envelope(route.data ?? {}, components), ...withExample } },
  };
}

/** Success or failure; `code` is never the same in both. */
const envelope = (data: JsonSchema, components: Components): JsonSchema => ({
  oneOf: [
    {
      type: 'object',
      properties: { code: { const: 0 }, message: { const: 'success' }, data: components.refer(data) },
      required: ['code', 'message', 'data'],
    },
    components.refer(errorEnvelope),
  ],
});

function errorsOf(route: AnyRoute): readonly (keyof typeof errorStatuses)[] {
  const sendsBody =
    route.method !== 'GET' && route.method !== 'HEAD' && (route.request ?? route.multipart) !== undefined;
  const byKind = route.errorStatus === 'kind';
  return [
    ...(route.request !== undefined || route.headers !== undefined || isWebhook(route) ? [400 as const] : []),
    ...(route.group === 'public' || route.group === 'probe' ? [] : [401 as const]),
    ...(byKind ? [404 as const] : []),
    ...(sendsBody || isWebhook(route) ? [413 as const] : []),
    429,
    ...(byKind ? [500 as const] : []),
    ...(isWebhook(route) ? [504 as const] : []),
  ];
}
