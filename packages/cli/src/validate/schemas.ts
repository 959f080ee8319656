/** JSON Schemas of the YAML files, made from the tables the decoder works by, for editors to complete and check with. */
import {
  agentStrategy,
  agentStrategyProvider,
  datasource,
  datasourceProvider,
  endpoint,
  endpointProvider,
  event,
  type FieldNode,
  manifest,
  model,
  modelProvider,
  type ObjectShape,
  type ShapeNode,
  tool,
  toolProvider,
  triggerProvider,
} from '@plugin-daemon/plugin-package/schema';
import { type Rule, ruleSchema, type ScalarKind } from '@plugin-daemon/wire-schema';

type Schema = Record<string, unknown>;

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** Schema files by name, with the files of a plugin each one describes. */
const FILES: readonly { name: string; shape: ObjectShape; title: string; matches: string }[] = [
  { name: 'manifest', shape: manifest, title: 'manifest.yaml of a Dify plugin', matches: 'manifest.yaml' },
  { name: 'tool-provider', shape: toolProvider, title: 'Tool provider', matches: 'provider/*.yaml' },
  { name: 'tool', shape: tool, title: 'Tool', matches: 'tools/*.yaml' },
  { name: 'model-provider', shape: modelProvider, title: 'Model provider', matches: 'provider/*.yaml' },
  { name: 'model', shape: model, title: 'Model', matches: 'models/*/*.yaml' },
  { name: 'endpoint-group', shape: endpointProvider, title: 'Endpoint group', matches: 'group/*.yaml' },
  { name: 'endpoint', shape: endpoint, title: 'Endpoint', matches: 'endpoints/*.yaml' },
  {
    name: 'agent-strategy-provider',
    shape: agentStrategyProvider,
    title: 'Agent strategy provider',
    matches: 'provider/*.yaml',
  },
  { name: 'agent-strategy', shape: agentStrategy, title: 'Agent strategy', matches: 'strategies/*.yaml' },
  { name: 'datasource-provider', shape: datasourceProvider, title: 'Datasource provider', matches: 'provider/*.yaml' },
  { name: 'datasource', shape: datasource, title: 'Datasource', matches: 'datasources/*.yaml' },
  { name: 'trigger-provider', shape: triggerProvider, title: 'Trigger provider', matches: 'provider/*.yaml' },
  { name: 'event', shape: event, title: 'Event of a trigger', matches: 'events/*.yaml' },
];

function ofScalar(kind: ScalarKind): Schema {
  switch (kind) {
    case 'string':
      // Plain scalars of any type become texts.
      return { type: ['string', 'number', 'boolean'] };
    case 'boolean':
      return { type: 'boolean' };
    case 'int':
    case 'int64':
      return { type: 'integer' };
    case 'uint64':
      return { type: 'integer', minimum: 0 };
    case 'number':
      return { type: 'number' };
    case 'object':
      return { type: 'object' };
    case 'timestamp':
      return { type: 'string', description: 'time such as 2025-01-02T03:04:05Z' };
    case 'decimal':
      return { type: ['string', 'number'] };
    case 'any':
      return {};
  }
}

function ofShape(shape: ShapeNode): Schema {
  switch (shape.kind) {
    case 'record':
      return ofObject(shape);
    case 'array':
      return { type: 'array', items: ofShape(shape.of) };
    case 'configs':
      return {
        anyOf: [
          { type: 'array', items: ofObject(shape.of) },
          { type: 'object', additionalProperties: ofObject(shape.of) },
        ],
      };
    case 'entries':
      return {
        type: 'array',
        items: {
          anyOf: [
            { type: 'string', description: 'path of a YAML file, from the root of the plugin' },
            ofObject(shape.of),
          ],
        },
      };
    case 'models': {
      const group = {
        type: 'object',
        properties: { position: { type: 'string' }, predefined: { type: 'array', items: { type: 'string' } } },
      };
      return {
        anyOf: [
          { type: 'array', items: ofObject(shape.of) },
          { type: 'object', additionalProperties: group },
        ],
      };
    }
    case 'tagged':
      return {};
    default:
      return ofScalar(shape.kind);
  }
}

function withRules(schema: Schema, rules: readonly Rule[]): Schema {
  const { type } = schema;
  const text = Array.isArray(type) ? type.includes('string') : type === 'string';
  const measured = text ? 'text' : type === 'array' ? 'list' : 'number';
  // Only the names of what is allowed are told, whatever type they would be read as.
  const { const: one, ...result }: Schema = Object.assign(
    { ...schema },
    ...rules.map((rule) => ruleSchema(rule, measured)),
  );
  if (one !== undefined) result.enum = [one];
  if (result.enum !== undefined) delete result.type;
  return result;
}

function ofField(field: FieldNode): Schema {
  const schema = withRules(ofShape(field.shape), field.rules);
  if (field.each.length > 0 && typeof schema.items === 'object' && schema.items !== null)
    schema.items = withRules(schema.items as Schema, field.each);
  // Every key may be empty in YAML, which decodes as absent, unless a rule asks for a value.
  if (field.rules.some((rule) => rule.presence) && !field.optional) return schema;
  if (Object.keys(schema).length === 0) return schema;
  return { anyOf: [schema, { type: 'null' }] };
}

function needed(field: FieldNode): boolean {
  if (field.optional) return false;
  if (field.rules.some((rule) => rule.presence)) return true;
  // An object that must be there because something in it must be: i18n texts with their en_US.
  return field.absent === 'zero' && field.shape.kind === 'record' && field.shape.fields.some(needed);
}

function ofObject(shape: ObjectShape): Schema {
  const properties: Schema = {};
  for (const field of shape.fields) {
    properties[field.key] = ofField(field);
    if (field.fallback !== undefined) properties[field.fallback] = ofField(field);
  }
  const required = shape.fields.filter(needed).map((field) => field.key);
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
}

/** All schemas by file name, and settings for editors that map them to files. */
export function schemaFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, shape, title } of FILES) {
    files.set(`${name}.schema.json`, `${JSON.stringify({ $schema: DRAFT, title, ...ofObject(shape) }, null, 2)}\n`);
  }
  const mapping: Record<string, string> = {};
  for (const { name, matches } of FILES)
    if (!matches.startsWith('provider/')) mapping[`./${name}.schema.json`] = matches;
  files.set(
    'README.md',
    `# Schemas of the YAML files of a Dify plugin\n\nFor editors with the YAML language server, put this into \`.vscode/settings.json\` (adjust the folder):\n\n\`\`\`json\n${JSON.stringify({ 'yaml.schemas': mapping }, null, 2)}\n\`\`\`\n\nProvider files have one of several schemas; name it in their first line:\n\n\`\`\`yaml\n# yaml-language-server: $schema=../schemas/tool-provider.schema.json\n\`\`\`\n`,
  );
  return files;
}
