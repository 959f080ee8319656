import { isObject } from '@plugin-daemon/values';
import { type Rule, rule, type ScalarKind, scalars } from '@plugin-daemon/wire-schema';
import { isRawNumber } from '../exact-integer.ts';
import type { Json, JsonObject } from './types.ts';
import { isUrl } from './url.ts';

export { lt, lte, max, min, oneOf, pattern, type Rule, required } from '@plugin-daemon/wire-schema';

/**
 * The language in which the files of a package are described (docs/wire/packages.md#manifest). One table per object says
 * which keys exist, how each is decoded, what stands in the JSON when it is absent, and which rules it should obey. From
 * it work the YAML decoder, the JSON decoder, the validator, and whoever else wants to walk it (linter, JSON Schema). Kinds of
 * single values, rules and violations are those of wire-schema.
 */
export type ShapeNode =
  | ScalarShape
  | { readonly kind: 'array'; readonly of: ShapeNode; readonly type: string }
  | ObjectShape
  /** provider configs: a list, or a map from name to config */
  | ConfigsShape
  /** paths of files mixed with inline objects; only the objects appear in the declaration */
  | EntriesShape
  | TaggedShape
  /** model objects as a list, or a map from model kind to position file and globs */
  | { readonly kind: 'models'; readonly of: ObjectShape };

export interface ScalarShape {
  readonly kind: ScalarKind;
  /** how the type is called in messages */
  readonly type: string;
}

export interface ConfigsShape {
  readonly kind: 'configs';
  readonly of: ObjectShape;
  /** values of a map that are no mappings are errors instead of being skipped */
  readonly strict: boolean;
}

export interface EntriesShape {
  readonly kind: 'entries';
  readonly of: ObjectShape;
  /** elements that are neither paths nor objects are errors instead of being skipped */
  readonly strict: boolean;
}

/** `{ type, value }`, where the type says which shape the value has; values of unknown types are dropped. */
export interface TaggedShape {
  readonly kind: 'tagged';
  readonly type: string;
  readonly variants: Readonly<Record<string, ObjectShape>>;
}

export interface ObjectShape {
  readonly kind: 'record';
  /** how the type is called in messages */
  readonly type: string;
  readonly fields: readonly FieldNode[];
  readonly hooks: ObjectHooks;
}

export interface ObjectHooks {
  /** the name under which fields of an embedded part appear in validation messages */
  readonly embedded?: { readonly as: string; readonly fields: readonly string[] };
  /** what messages of JSON decoding call it, and what they put in front of its keys */
  readonly json?: { readonly typeName: string; readonly within: string };
  /** runs on the decoded value before it is validated. @throws PackageError */
  readonly decoded?: (value: Record<string, unknown>) => void;
  /** runs when absent keys are filled in */
  readonly completed?: (value: Record<string, unknown>) => void;
}

/**
 * What the JSON holds when a key is absent or null. `zero` is '', false, 0 or an object of zeros. `omit` leaves out absent
 * keys, false, empty lists and maps; `omit-empty` also ''; `omit-null` nothing but absent keys.
 */
export type Absent = 'zero' | 'null' | 'empty-list' | 'empty-object' | 'omit' | 'omit-empty' | 'omit-null';

export interface FieldNode {
  readonly key: string;
  readonly shape: ShapeNode;
  readonly absent: Absent;
  /** the field's name in validation messages */
  readonly label: string;
  readonly rules: readonly Rule[];
  /** rules of each element of a list */
  readonly each: readonly Rule[];
  /** rules are skipped for the zero value (of a nullable key: for null alone) */
  readonly optional: boolean;
  /** whether what lies below is validated */
  readonly dive: boolean;
  /** another key that is read when this one is absent or empty */
  readonly fallback: string | undefined;
  /** words in front of errors of this field, which then come alone */
  readonly context: string | undefined;
  /** anything but a mapping counts as absent */
  readonly mappingOnly: boolean;
}

declare const produced: unique symbol;

/** A shape whose decoded value is a T. */
export type Shape<T> = ShapeNode & { readonly [produced]?: T };

/** A row of an object's table, still without its key. */
export type Field<T> = Omit<FieldNode, 'key'> & { readonly [produced]?: T };

const scalar = <T>(kind: ScalarKind): Shape<T> => ({ kind, type: scalars[kind].typeName });

export const text = scalar<string>('string');
export const boolean = scalar<boolean>('boolean');
export const int = scalar<number>('int');
export const int64 = scalar<number>('int64');
export const uint64 = scalar<number>('uint64');
export const float = scalar<number>('number');
export const any = scalar<Json>('any');
export const map = scalar<JsonObject>('object');
export const timestamp = scalar<string>('timestamp');
export const decimal = scalar<string>('decimal');

/** A text with a name of its own in messages. */
export function named(type: string): Shape<string> {
  return { kind: 'string', type };
}

export function list<T>(of: Shape<T>): Shape<T[]> {
  return { kind: 'array', of, type: `[]${typeName(of)}` };
}

export function configs<T>(of: ObjectShape & Shape<T>, strict = false): Shape<T[]> {
  return { kind: 'configs', of, strict };
}

export function entries<T>(of: ObjectShape & Shape<T>, strict = false): Shape<T[]> {
  return { kind: 'entries', of, strict };
}

export function object<T extends object>(
  type: string,
  fields: { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> },
  hooks: ObjectHooks = {},
): ObjectShape & Shape<T> {
  const rows = Object.entries<Omit<FieldNode, 'key'>>(fields).map(([key, field]) => ({ ...field, key }));
  return { kind: 'record', type, fields: rows, hooks };
}

export interface FieldOptions {
  readonly rules?: readonly Rule[];
  readonly each?: readonly Rule[];
  readonly optional?: boolean;
  readonly dive?: boolean;
  readonly fallback?: string;
  readonly context?: string;
  readonly mappingOnly?: boolean;
}

function row(shape: ShapeNode, absent: Absent, label: string, options: FieldOptions): Omit<FieldNode, 'key'> {
  return {
    shape,
    absent,
    label,
    rules: options.rules ?? [],
    each: options.each ?? [],
    optional: options.optional ?? false,
    dive: options.dive ?? true,
    fallback: options.fallback,
    context: options.context,
    mappingOnly: options.mappingOnly ?? false,
  };
}

/** Always there; '', false, 0 or an object of zeros when absent. */
export function zero<T>(shape: Shape<T>, label: string, options: FieldOptions = {}): Field<T> {
  return row(shape, 'zero', label, options);
}

/** Always there, null when absent. */
export function nullable<T>(shape: Shape<T>, label: string, options: FieldOptions = {}): Field<T | null> {
  return row(shape, 'null', label, { optional: true, ...options });
}

/** Always there, `[]` when absent. */
export function listed<T>(shape: Shape<T[]>, label: string, options: FieldOptions = {}): Field<T[]> {
  return row(shape, 'empty-list', label, { optional: true, ...options });
}

/** Always there, `{}` when absent. */
export function mapped(shape: Shape<JsonObject>, label: string, options: FieldOptions = {}): Field<JsonObject> {
  return row(shape, 'empty-object', label, { optional: true, ...options });
}

/** Left out when '' too. */
export function nonEmpty(shape: Shape<string>, label: string, options: FieldOptions = {}): Field<string> {
  return row(shape, 'omit-empty', label, { optional: true, ...options });
}

/** Left out when absent or null; a boolean also when false, a list or map also when empty. */
export function omitted<T>(shape: Shape<T>, label: string, options: FieldOptions = {}): Field<T> {
  return row(shape, 'omit', label, { optional: true, ...options });
}

/** Neither list nor mapping. */
export const basic: Rule = rule(
  'is_basic_type',
  (value) => isRawNumber(value) || (!isObject(value) && !Array.isArray(value)),
);
export const url: Rule = rule('url', (value) => typeof value === 'string' && isUrl(value), { format: 'uri' });

export function typeName(shape: ShapeNode): string {
  switch (shape.kind) {
    case 'configs':
    case 'entries':
    case 'models':
      return `[]${typeName(shape.of)}`;
    case 'record':
      return `plugin_entities.${shape.type}`;
    default:
      return shape.type;
  }
}

/** What stands for an absent value when a key must be there. */
export function zeroOf(shape: ShapeNode): unknown {
  if (shape.kind === 'record') return zeroObject(shape);
  return isScalar(shape) ? scalars[shape.kind].zero : null;
}

const isScalar = (shape: ShapeNode): shape is ScalarShape => Object.hasOwn(scalars, shape.kind);

export function zeroObject(shape: ObjectShape): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const field of shape.fields) {
    const absent = absentValue(field);
    if (absent !== undefined) value[field.key] = absent;
  }
  shape.hooks.decoded?.(value);
  return value;
}

/** The value of an absent key before completion: null for everything that may be null, undefined for what is left out. */
export function absentValue(field: FieldNode): unknown {
  if (field.absent.startsWith('omit')) return undefined;
  return field.absent === 'zero' ? zeroOf(field.shape) : null;
}

/** The same value with its keys in table order, as its JSON has them. */
export function inTableOrder(shape: ObjectShape, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys = shape.fields.map((field) => field.key).filter((key) => Object.hasOwn(value, key));
  return Object.fromEntries(keys.map((key) => [key, value[key]]));
}

/**
 * Fills what a decoded value may not lack in JSON: `[]` and `{}` for null lists and maps, and whatever the completed hooks
 * of its objects add. In place.
 */
export function complete(shape: ShapeNode, value: unknown): void {
  if (value === null || typeof value !== 'object') return;
  if (shape.kind === 'record') {
    // every object decoder makes plain records with the keys of its table
    const record = value as Record<string, unknown>;
    for (const field of shape.fields) {
      const held = record[field.key];
      if (held === null && field.absent === 'empty-list') record[field.key] = [];
      else if (held === null && field.absent === 'empty-object') record[field.key] = {};
      else if (field.shape.kind !== 'any' && field.shape.kind !== 'object') complete(field.shape, held);
    }
    shape.hooks.completed?.(record);
  } else if ('of' in shape && Array.isArray(value)) {
    for (const item of value) complete(shape.of, item);
  }
}

/** Whether a present value is left out of the JSON all the same. */
export function isLeftOut(field: FieldNode, value: unknown): boolean {
  if (field.absent === 'omit-empty') return value === '';
  if (field.absent !== 'omit') return false;
  if (value === null || value === false) return field.shape.kind !== 'any' || value === null;
  if (Array.isArray(value)) return field.shape.kind !== 'any' && value.length === 0;
  return field.shape.kind === 'object' && typeof value === 'object' && Object.keys(value).length === 0;
}
