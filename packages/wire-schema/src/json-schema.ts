/** JSON Schemas of records, for the OpenAPI document. */
import type { Field, RecordType, Rule, Type } from './types.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The schema of what a client may send. */
export function jsonSchemaOf(type: Type): JsonSchema {
  switch (type.kind) {
    case 'int':
      return { type: 'integer' };
    case 'any':
      return {};
    case 'decimal':
      return { type: ['string', 'number'] };
    case 'nullable':
      return { anyOf: [jsonSchemaOf(type.of), { type: 'null' }] };
    case 'array':
      return { type: 'array', items: { ...jsonSchemaOf(type.of), ...ruleSchemas(type.rules) } };
    case 'object':
      return { type: 'object', additionalProperties: true };
    case 'record':
      return recordSchema(type);
    default:
      return { type: type.kind };
  }
}

function recordSchema(type: RecordType): JsonSchema {
  const properties = Object.fromEntries(type.fields.map(({ key, field }) => [key, fieldSchema(field)]));
  const required = type.fields.filter(({ field }) => field.rules.some((rule) => rule.presence)).map(({ key }) => key);
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

const fieldSchema = (field: Field<unknown>): JsonSchema => ({
  ...jsonSchemaOf(field.type),
  ...ruleSchemas(field.rules),
  ...(field.description !== undefined && { description: field.description }),
});

const ruleSchemas = (rules: readonly Rule[]): JsonSchema =>
  Object.assign({}, ...rules.map((rule) => rule.schema ?? {}));
