/** The rules that records use, with upstream's tags. */
import type { Rule } from './types.ts';

/** Not the zero value: a non-empty text, a number other than 0, true, a list or object that is there (even if empty). */
export const required: Rule = { tag: 'required', ok: (value) => !isZero(value), presence: true };

export const isZero = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || value === 0 || value === false;

const numberRule = (tag: string, schemaKey: string, limit: number, ok: (n: number) => boolean): Rule => ({
  tag,
  ok: (value) => typeof value === 'number' && ok(value),
  schema: { [schemaKey]: limit },
});

export const min = (limit: number): Rule => numberRule('min', 'minimum', limit, (n) => n >= limit);
export const max = (limit: number): Rule => numberRule('max', 'maximum', limit, (n) => n <= limit);

/** An object or list with at least one member. */
export const notEmpty: Rule = {
  tag: 'min',
  ok: (value) => typeof value === 'object' && value !== null && Object.keys(value).length > 0,
  schema: { minProperties: 1 },
};

/** A list of at most `limit` elements. */
export const maxItems = (limit: number): Rule => ({
  tag: 'max',
  ok: (value) => !Array.isArray(value) || value.length <= limit,
  schema: { maxItems: limit },
});

/** A text of at most `limit` characters. */
export const maxLength = (limit: number): Rule => ({
  tag: 'max',
  ok: (value) => typeof value !== 'string' || [...value].length <= limit,
  schema: { maxLength: limit },
});

export const eq = (expected: string): Rule => ({
  tag: 'eq',
  ok: (value) => value === expected,
  schema: { const: expected },
});

export const oneOf = (values: readonly string[], tag = 'oneof'): Rule => ({
  tag,
  ok: (value) => typeof value === 'string' && values.includes(value),
  schema: { enum: values },
});

/** Checks nothing: says in the JSON Schema what a loosely decoded field holds. */
export const holds = (schema: NonNullable<Rule['schema']>): Rule => ({ tag: '', ok: () => true, schema });

/** A check of its own under a tag of its own. */
export const rule = (tag: string, ok: (value: unknown) => boolean, schema: Rule['schema'] = {}): Rule => ({
  tag,
  ok,
  schema,
});
