/** The description language: types, fields and records. */
import type { Rule, ScalarKind } from './primitives/index.ts';

export type Type =
  | { readonly kind: Exclude<ScalarKind, 'int64' | 'uint64' | 'timestamp'> }
  | { readonly kind: 'array'; readonly of: Type; readonly rules: readonly Rule[]; readonly dive: boolean }
  | { readonly kind: 'nullable'; readonly of: Type }
  | RecordType;

/** A record: fields in declaration order, which is the order of the messages. */
export interface RecordType {
  readonly kind: 'record';
  /** The record's name in messages; `''` leaves the name out of the path. */
  readonly name: string;
  readonly fields: readonly RecordField[];
  /** Name of the type in messages of strict decoding, with its package; default `name`. */
  readonly typeName?: string;
  /** Rules over several of its fields; their violations follow those of the fields. */
  readonly rules?: readonly RecordRule[];
  /** The record that its fields are said to belong to in such messages; default `name`. */
  readonly fieldsOf?: string;
}

/** A rule over a decoded record; its violation is told of `field`. */
export interface RecordRule {
  readonly field: string;
  readonly tag: string;
  readonly ok: (value: Readonly<Record<string, unknown>>) => boolean;
}

export interface RecordField {
  /** The key in JSON (and, if `query` is absent, in query strings). */
  readonly key: string;
  readonly field: Field<unknown>;
  /** Path segments between the record and the field (names of embedded records). */
  readonly via: readonly string[];
}

declare const value: unique symbol;

/** A field: the name in messages, the type, the rules. */
export interface Field<T> {
  readonly [value]?: T;
  readonly name: string;
  readonly type: Type;
  readonly rules: readonly Rule[];
  /** Left out of the decoded value when zero. */
  readonly omitEmpty: boolean;
  readonly description?: string;
  /** Name of the type in messages of strict decoding, where it has one of its own. */
  readonly typeName?: string;
  /** A look at the given value ahead of tolerant decoding; gives back another one where it cannot be decoded as it is. */
  readonly before?: (given: unknown) => unknown;
  check(...rules: readonly Rule[]): Field<T>;
  omit(): Field<T | undefined>;
  describe(text: string): Field<T>;
  called(typeName: string): Field<T>;
  from(before: (given: unknown) => unknown): Field<T>;
}

type FieldOptions = Pick<Field<unknown>, 'name' | 'type' | 'rules' | 'omitEmpty'> & {
  readonly description?: string;
  readonly typeName?: string;
  readonly before?: (given: unknown) => unknown;
};

function make<T>(options: FieldOptions): Field<T> {
  return {
    ...options,
    check: (...rules) => make({ ...options, rules: [...options.rules, ...rules] }),
    omit: () => make({ ...options, omitEmpty: true }),
    describe: (description) => make({ ...options, description }),
    called: (typeName) => make({ ...options, typeName }),
    from: (before) => make({ ...options, before }),
  };
}

const field = <T>(name: string, type: Type): Field<T> => make({ name, type, rules: [], omitEmpty: false });

/** A text; missing, null or another type is `''`. */
export const string = (name: string): Field<string> => field(name, { kind: 'string' });
/** A whole number; else 0. */
export const int = (name: string): Field<number> => field(name, { kind: 'int' });
/** Any number; else 0. */
export const number = (name: string): Field<number> => field(name, { kind: 'number' });
/** true or false; else false. */
export const boolean = (name: string): Field<boolean> => field(name, { kind: 'boolean' });
/** A free object; else null. */
export const object = (name: string): Field<Record<string, unknown> | null> => field(name, { kind: 'object' });
/** An exact decimal, sent as number or text; always a text in plain notation, `'0'` when missing. */
export const decimal = (name: string): Field<string> => field(name, { kind: 'decimal' });
/** Any JSON value; missing is null. */
export const any = (name: string): Field<unknown> => field(name, { kind: 'any' });

/** Makes a field that is null when absent (a text that may be null, a record that may be absent). */
export function nullable<T>(inner: Field<T>): Field<T | null> {
  return make({ ...inner, type: { kind: 'nullable', of: inner.type } });
}

/** A record inside a record, in messages under `name`. A missing one is its zero record; see `nullable`. */
export function nested<T>(name: string, type: RecordOf<T>): Field<T> {
  return field(name, type);
}

/** A list; else null. `each` describes its elements; with `dive` their rules are checked too. */
export function array<T>(
  name: string,
  each: Field<T> | RecordOf<T>,
  options: { readonly dive?: boolean } = {},
): Field<T[] | null> {
  const isRecord = 'kind' in each;
  const of: Type = isRecord ? each : each.type;
  return field(name, { kind: 'array', of, rules: isRecord ? [] : each.rules, dive: options.dive ?? false });
}

type Shape = Readonly<Record<string, Field<unknown> | { readonly name: string; readonly record: RecordType }>>;
type ValueOf<F> = F extends Field<infer T> ? T : F extends { readonly record: RecordOf<infer R> } ? R : never;
type ShapeValue<S> = { -readonly [K in keyof S]: ValueOf<S[K]> };

/** A record with its decoded shape remembered by the type checker. */
export interface RecordOf<T> extends RecordType {
  readonly [value]?: T;
}

/** The decoded shape of a record. */
export type Infer<R> = R extends RecordOf<infer T> ? T : never;

interface Part<S extends Shape> {
  readonly embedded: string;
  readonly shape: S;
}

/** Fields of a record that is embedded in another: on the wire they stand beside the others, in messages under `name`. */
export const embed = <const S extends Shape>(name: string, shape: S): Part<S> => ({ embedded: name, shape });

type PartValue<P> = P extends Part<infer S> ? ShapeValue<S> : P extends Shape ? ShapeValue<P> : never;
type Merge<P extends readonly unknown[]> = P extends readonly [infer Head, ...infer Tail]
  ? PartValue<Head> & Merge<Tail>
  : unknown;

/** Describes a record from its parts, in message order. */
export function record<const P extends readonly (Shape | Part<Shape>)[]>(
  name: string,
  ...parts: P
): RecordOf<Merge<P>> {
  const fields: RecordField[] = [];
  for (const part of parts) {
    const embedded = isPart(part);
    const shape: Shape = embedded ? part.shape : part;
    const via = embedded ? [part.embedded] : [];
    for (const [key, item] of Object.entries(shape)) {
      const nested = 'record' in item ? field<unknown>(item.name, item.record) : item;
      fields.push({ key, field: nested, via });
    }
  }
  return { kind: 'record', name, fields };
}

/** Names the package of a record, which messages of strict decoding tell; `as` where the names there differ from the record's. */
export function inPackage<T>(
  name: string,
  type: RecordOf<T>,
  as: { readonly typeName?: string; readonly fieldsOf?: string } = {},
): RecordOf<T> {
  return { ...type, ...as, typeName: `${name}.${as.typeName ?? type.name}` };
}

/** Adds rules over several fields of a record. */
export const withRules = <T>(type: RecordOf<T>, ...rules: readonly RecordRule[]): RecordOf<T> => ({ ...type, rules });

function isPart(part: Shape | Part<Shape>): part is Part<Shape> {
  return typeof part.embedded === 'string';
}
