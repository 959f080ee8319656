import type { Json, JsonObject } from './types.ts';

/**
 * The language in which the files of a package are described (docs/wire/packages.md#manifest). One table per object says
 * which keys exist, how each is decoded, what stands in the JSON when it is absent, and which rules it should obey. From
 * it work the YAML decoder, the JSON decoder, the validator, and whoever else wants to walk it (linter, JSON Schema).
 */
export type ShapeNode =
  | ScalarShape
  | { readonly kind: 'list'; readonly of: ShapeNode; readonly type: string }
  | ObjectShape
  /** provider configs: a list, or a map from name to config */
  | ConfigsShape
  /** paths of files mixed with inline objects; only the objects appear in the declaration */
  | EntriesShape
  | TaggedShape
  /** model objects as a list, or a map from model kind to position file and globs */
  | { readonly kind: 'models'; readonly of: ObjectShape };

export interface ScalarShape {
  readonly kind: 'text' | 'boolean' | 'int64' | 'uint64' | 'int' | 'float' | 'any' | 'map' | 'timestamp' | 'decimal';
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
  readonly kind: 'object';
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

export type Rule =
  | { readonly rule: 'required' }
  | { readonly rule: 'max' | 'min' | 'lt' | 'lte' | 'gt'; readonly limit: number }
  | { readonly rule: 'one-of'; readonly tag: string; readonly values: readonly string[] }
  | { readonly rule: 'pattern'; readonly tag: string; readonly pattern: RegExp }
  | { readonly rule: 'basic' | 'scope' | 'url' | 'parameter-rule' };

declare const produced: unique symbol;

/** A shape whose decoded value is a T. */
export type Shape<T> = ShapeNode & { readonly [produced]?: T };

/** A row of an object's table, still without its key. */
export type Field<T> = Omit<FieldNode, 'key'> & { readonly [produced]?: T };

export const text: Shape<string> = { kind: 'text', type: 'string' };
export const boolean: Shape<boolean> = { kind: 'boolean', type: 'bool' };
export const int: Shape<number> = { kind: 'int', type: 'int' };
export const int64: Shape<number> = { kind: 'int64', type: 'int64' };
export const uint64: Shape<number> = { kind: 'uint64', type: 'uint64' };
export const float: Shape<number> = { kind: 'float', type: 'float64' };
export const any: Shape<Json> = { kind: 'any', type: 'interface {}' };
export const map: Shape<JsonObject> = { kind: 'map', type: 'map[string]interface {}' };
export const timestamp: Shape<string> = { kind: 'timestamp', type: 'time.Time' };
export const decimal: Shape<string> = { kind: 'decimal', type: 'decimal.Decimal' };

/** A text with a name of its own in messages. */
export function named(type: string): Shape<string> {
  return { kind: 'text', type };
}

export function list<T>(of: Shape<T>): Shape<T[]> {
  return { kind: 'list', of, type: `[]${typeName(of)}` };
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
  return { kind: 'object', type, fields: rows, hooks };
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

export const required: Rule = { rule: 'required' };
export const basic: Rule = { rule: 'basic' };
export const scope: Rule = { rule: 'scope' };
export const url: Rule = { rule: 'url' };

export function max(limit: number): Rule {
  return { rule: 'max', limit };
}

export function min(limit: number): Rule {
  return { rule: 'min', limit };
}

export function lt(limit: number): Rule {
  return { rule: 'lt', limit };
}

export function lte(limit: number): Rule {
  return { rule: 'lte', limit };
}

export function oneOf(tag: string, values: readonly string[]): Rule {
  return { rule: 'one-of', tag, values };
}

export function pattern(tag: string, expression: RegExp): Rule {
  return { rule: 'pattern', tag, pattern: expression };
}

export function typeName(shape: ShapeNode): string {
  switch (shape.kind) {
    case 'configs':
    case 'entries':
    case 'models':
      return `[]${typeName(shape.of)}`;
    case 'object':
      return `plugin_entities.${shape.type}`;
    default:
      return shape.type;
  }
}

/** What stands for an absent value when a key must be there. */
export function zeroOf(shape: ShapeNode): unknown {
  switch (shape.kind) {
    case 'text':
      return '';
    case 'boolean':
      return false;
    case 'int':
    case 'int64':
    case 'uint64':
    case 'float':
      return 0;
    case 'timestamp':
      return '0001-01-01T00:00:00Z';
    case 'decimal':
      return '0';
    case 'object':
      return zeroObject(shape);
    default:
      return null;
  }
}

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
  if (shape.kind === 'object') {
    // every object decoder makes plain records with the keys of its table
    const record = value as Record<string, unknown>;
    for (const field of shape.fields) {
      const held = record[field.key];
      if (held === null && field.absent === 'empty-list') record[field.key] = [];
      else if (held === null && field.absent === 'empty-object') record[field.key] = {};
      else if (field.shape.kind !== 'any' && field.shape.kind !== 'map') complete(field.shape, held);
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
  return field.shape.kind === 'map' && typeof value === 'object' && Object.keys(value).length === 0;
}
