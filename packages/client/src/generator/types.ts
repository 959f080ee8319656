/** JSON Schemas as TypeScript types. */

export type Schema = Readonly<Record<string, unknown>>;

/** The type of a schema, as source text. Texts are what they are on the wire: dates stay texts. */
export function typeOf(schema: Schema): string {
  const { $ref, type, properties, items, additionalProperties } = schema;
  if (typeof $ref === 'string') return $ref.split('/').at(-1) ?? 'unknown';
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return union(schema['enum'].map((value) => JSON.stringify(value)));
  const either = schema['oneOf'] ?? schema['anyOf'];
  if (Array.isArray(either)) return union(either.map((each: Schema) => typeOf(each)));
  if (Array.isArray(type)) return union(type.map((each: string) => typeOf({ ...schema, type: each })));
  switch (type) {
    case 'string':
      return schema['contentMediaType'] === 'application/octet-stream' ? 'Uint8Array' : 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'null':
      return 'null';
    case 'array':
      return listOf(typeOf(asSchema(items)));
    case 'object':
      if (properties !== undefined) return objectOf(schema);
      return `Readonly<Record<string, ${isSchema(additionalProperties) ? typeOf(additionalProperties) : 'unknown'}>>`;
    default:
      return 'unknown';
  }
}

/** The members of an object type, one to a line. */
export function membersOf(schema: Schema): readonly string[] {
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.entries(asSchema(schema['properties'])).flatMap(([name, value]) => {
    const member = asSchema(value);
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return [
      ...comment(member['description']),
      `readonly ${key}${required.includes(name) ? '' : '?'}: ${typeOf(member)};`,
    ];
  });
}

/** A comment of one line, where there is something to say. */
export const comment = (text: unknown): readonly string[] =>
  typeof text === 'string' && text !== '' ? [`/** ${text.replaceAll('*/', '*\\/').replace(/\s+/g, ' ')} */`] : [];

const objectOf = (schema: Schema): string => `{\n${indent(membersOf(schema)).join('\n')}\n}`;

/** Lines, and the lines inside them, two spaces further in. */
export const indent = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}`);

const union = (types: readonly string[]): string => [...new Set(types)].join(' | ');
const listOf = (type: string): string => (/^\w+$/.test(type) ? `readonly ${type}[]` : `ReadonlyArray<${type}>`);
const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const asSchema = (value: unknown): Schema => (isSchema(value) ? value : {});
