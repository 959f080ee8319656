/** The client's types and its table of operations, from the document. */
import { asSchema, comment, indent, membersOf, type Schema, typeOf } from './types.ts';

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Schema[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Schema;
  readonly responses: Readonly<Record<string, Schema>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

/** How an answer comes: in an envelope, as JSON without one, as events, as bytes. */
type Kind = 'enveloped' | 'plain' | 'stream' | 'bytes';

interface Answer {
  readonly kind: Kind;
  readonly data: string;
}

const HEAD = `/**
 * Made from docs/openapi.json by \`npm run docs\`; change the route tables of the daemon, not this.
 */
// biome-ignore-all format: generated
// biome-ignore-all assist: generated
`;

/** The client fills it in; everything else of a path is asked for. */
const TENANT = 'tenant_id';

export function renderClient(document: Document): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const answer = answerOf(operation);
      return answer === undefined ? [] : [{ path, method: method.toUpperCase(), operation, answer }];
    }),
  );
  const schemas = Object.entries(document.components.schemas).flatMap(([name, schema]) => [
    ...comment(schema['description']),
    schema['type'] === 'object' && schema['properties'] !== undefined
      ? `export interface ${name} {\n${indent(membersOf(schema)).join('\n')}\n}\n`
      : `export type ${name} = ${typeOf(schema)};\n`,
  ]);
  return [
    HEAD,
    ...schemas,
    '/** What each operation takes and gives. */',
    'export interface Operations {',
    ...indent(
      operations.flatMap(({ path, method, operation, answer }) => operationType(path, method, operation, answer)),
    ),
    '}',
    '',
    '/** How each operation is called. */',
    'export const operations = {',
    ...indent(operations.map(({ path, method, operation, answer }) => tableRow(path, method, operation, answer))),
    '} as const satisfies Readonly<Record<keyof Operations, OperationSpec>>;',
    '',
    'export interface OperationSpec {',
    "  readonly kind: 'enveloped' | 'plain' | 'stream' | 'bytes';",
    '  readonly method: string;',
    '  readonly path: string;',
    "  readonly key?: 'serverKey' | 'adminKey';",
    "  readonly body?: 'json' | 'multipart';",
    '  readonly query?: readonly string[];',
    '  /** Header by the name of its member in the input. */',
    '  readonly headers?: Readonly<Record<string, string>>;',
    '}',
    '',
  ].join('\n');
}

/** Undefined for what is not called by clients of the daemon: webhooks, whose requests and answers are anything. */
function answerOf({ responses }: Operation): Answer | undefined {
  const content = asSchema(responses['200']?.['content']);
  const events = content['text/event-stream'];
  if (events !== undefined) return { kind: 'stream', data: dataOf(asSchema(asSchema(events)['x-event-schema'])) };
  const json = asSchema(asSchema(content['application/json'])['schema']);
  if (json['oneOf'] !== undefined) return { kind: 'enveloped', data: dataOf(json) };
  if (content['application/json'] !== undefined) return { kind: 'plain', data: typeOf(json) };
  return Object.keys(content).length === 0 ? undefined : { kind: 'bytes', data: 'Uint8Array' };
}

/** The `data` of an envelope that says success. */
function dataOf({ oneOf }: Schema): string {
  const [success]: readonly unknown[] = Array.isArray(oneOf) ? oneOf : [];
  return typeOf(asSchema(asSchema(asSchema(success)['properties'])['data']));
}

function operationType(path: string, method: string, operation: Operation, { kind, data }: Answer): readonly string[] {
  return [
    `/** ${operation.summary}. \`${method} ${path}\` */`,
    `readonly ${operation.operationId}: {`,
    ...indent([`readonly kind: '${kind}';`, `readonly input: ${inputType(operation)};`, `readonly data: ${data};`]),
    '};',
  ];
}

function inputType(operation: Operation): string {
  const members = inputs(operation).flatMap(({ name, required, description, schema }) => [
    ...comment(description),
    `readonly ${memberName(name)}${required ? '' : '?'}: ${typeOf(schema)};`,
  ]);
  const body = bodyOf(operation);
  if (body !== undefined) members.push(`readonly body: ${typeOf(body.schema)};`);
  return members.length === 0 ? 'Readonly<Record<never, never>>' : `{\n${indent(members).join('\n')}\n}`;
}

const inputs = ({ parameters = [] }: Operation): readonly Parameter[] =>
  parameters.filter(({ name }) => name !== TENANT);

/** `X-Plugin-ID` is `pluginId`; names of queries and paths stay as they are. */
const memberName = (name: string): string =>
  name
    .replace(/^X-/, '')
    .replaceAll('ID', 'Id')
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
    .replace(/^[A-Z]/, (letter) => letter.toLowerCase());

function bodyOf({
  requestBody,
}: Operation): { readonly as: 'json' | 'multipart'; readonly schema: Schema } | undefined {
  const content = asSchema(requestBody?.['content']);
  const json = content['application/json'];
  if (json !== undefined) return { as: 'json', schema: asSchema(asSchema(json)['schema']) };
  const form = content['multipart/form-data'];
  return form === undefined ? undefined : { as: 'multipart', schema: asSchema(asSchema(form)['schema']) };
}

function tableRow(path: string, method: string, operation: Operation, { kind }: Answer): string {
  const key = operation.security.flatMap((each) => Object.keys(each))[0];
  const body = bodyOf(operation);
  const of = (where: Parameter['in']) => inputs(operation).filter((each) => each.in === where);
  const headers = Object.fromEntries(of('header').map(({ name }) => [memberName(name), name]));
  const query = of('query').map(({ name }) => name);
  const spec = {
    kind,
    method,
    path,
    ...(key !== undefined && { key }),
    ...(body !== undefined && { body: body.as }),
    ...(query.length > 0 && { query }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
  return `${operation.operationId}: ${JSON.stringify(spec)},`;
}
