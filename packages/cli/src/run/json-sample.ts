/** A value that fits a JSON Schema, for answers of a model that was offered tools (docs/wire/cli.md#mocked-dify). */
import { isObject } from '@plugin-daemon/values';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

function text(): string {
  let out = '';
  for (let index = 0; index < 10; index++) out += LETTERS[Math.floor(Math.random() * LETTERS.length)] ?? 'a';
  return out;
}

function sample(schema: unknown, depth: number): unknown {
  if (!isObject(schema)) return text();
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  const minimum = typeof schema.minimum === 'number' ? schema.minimum : 0;
  const maximum = typeof schema.maximum === 'number' ? schema.maximum : 100;
  switch (schema.type) {
    case 'number':
      return (minimum + maximum) / 2;
    case 'integer':
      return Math.floor((minimum + maximum) / 2);
    case 'boolean':
      return true;
    case 'array':
      return depth > 3 ? [] : [sample(schema.items, depth + 1)];
    case 'object':
      return depth > 3 ? {} : sampleObject(schema, depth + 1);
    default:
      return text();
  }
}

export function sampleObject(schema: unknown, depth = 0): Record<string, unknown> {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, sample(value, depth)]));
}
