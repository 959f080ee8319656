/** JSON Schemas of records, for the OpenAPI document. */
import { type Measured, type Rule, ruleSchema } from './primitives/index.ts';
import type { Field, RecordField, RecordType, Type } from './types.ts';

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
      return { type: 'array', items: { ...jsonSchemaOf(type.of), ...ruleSchemas(type.rules, type.of) } };
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
  const required = type.fields.filter(({ field }) => isRequired(field)).map(({ key }) => key);
  const title = /^[A-Z]\w*$/.test(type.name) && { title: type.name };
  return { ...title, type: 'object', properties, ...(required.length > 0 && { required }) };
}

/** Also a record that cannot be left out because something in it cannot. */
const isRequired = ({ rules, type }: Field<unknown>): boolean =>
  rules.some((rule) => rule.presence) || (type.kind === 'record' && type.fields.some(({ field }) => isRequired(field)));

const fieldSchema = (field: Field<unknown>): JsonSchema => ({
  ...jsonSchemaOf(field.type),
  ...ruleSchemas(field.rules, field.type),
  ...(field.description !== undefined && { description: field.description }),
});

const ruleSchemas = (rules: readonly Rule[], type: Type): JsonSchema =>
  Object.assign({}, ...rules.map((rule) => ruleSchema(rule, measuredOf(type))));

function measuredOf(type: Type): Measured {
  switch (type.kind) {
    case 'nullable':
      return measuredOf(type.of);
    case 'array':
      return 'list';
    case 'record':
    case 'object':
      return 'members';
    default:
      return type.kind === 'string' ? 'text' : 'number';
  }
}

/**
 * The schema of a value that was decoded: every field is there unless it may be left out, decimals are texts, and lists and
 * objects that were missing are null.
 */
export function answerSchemaOf(type: Type): JsonSchema {
  switch (type.kind) {
    case 'decimal':
      return { type: 'string', description: 'An exact decimal.' };
    case 'nullable':
      return orNull(answerSchemaOf(type.of));
    case 'array':
      return { type: 'array', items: { ...answerSchemaOf(type.of), ...ruleSchemas(type.rules, type.of) } };
    case 'record':
      return {
        type: 'object',
        properties: Object.fromEntries(type.fields.map((each) => [each.key, answerField(each)])),
        required: type.fields.filter(({ field }) => !field.omitEmpty).map(({ key }) => key),
      };
    default:
      return jsonSchemaOf(type);
  }
}

function answerField({ field }: RecordField): JsonSchema {
  const there = field.rules.some((rule) => rule.presence);
  const inner = field.type.kind === 'nullable' ? field.type.of : field.type;
  const schema = { ...answerSchemaOf(inner), ...ruleSchemas(field.rules, field.type) };
  const mayBeNull = field.type.kind === 'nullable' || field.type.kind === 'array' || field.type.kind === 'object';
  const described = { ...schema, ...(field.description !== undefined && { description: field.description }) };
  return mayBeNull && !there && !field.omitEmpty ? orNull(described) : described;
}

const orNull = (schema: JsonSchema): JsonSchema =>
  typeof schema['type'] === 'string' && schema['enum'] === undefined
    ? { ...schema, type: [schema['type'], 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
