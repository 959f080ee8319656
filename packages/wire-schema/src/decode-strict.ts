/**
 * Strict decoding, for what plugins send: a value of the wrong type is an error with upstream's words, null and missing are the
 * zero value, undeclared fields are kept (http-api §6.2, quirk 3; runtime-protocols §6.3).
 */
import { plainDecimal } from './decimal.ts';
import { zeroOf } from './decode.ts';
import { isZero } from './rules.ts';
import type { Field, RecordOf, RecordType, Type } from './types.ts';

export type StrictResult<T> =
  | {
      readonly ok: true;
      readonly value: T;
      /** Whether `value` differs from the input: filled in, normalised. If not, the input's own text can be passed on. */
      readonly altered: boolean;
    }
  | { readonly ok: false; readonly error: string };

interface State {
  altered: boolean;
  error: string | undefined;
  readonly root: string;
}

/**
 * Decodes `input` as `type`. `typeName` is the whole type's name in messages (`tool_entities.ToolResponseChunk`).
 * The first mismatch is reported, as upstream does; presence rules are checked by `validate` afterwards.
 */
export function decodeStrict<T>(type: RecordOf<T>, input: unknown, typeName: string = type.name): StrictResult<T> {
  if (input !== null && (typeof input !== 'object' || Array.isArray(input))) {
    return { ok: false, error: `json: cannot unmarshal ${jsonName(input)} into Go value of type ${typeName}` };
  }
  const state: State = { altered: input === null, error: undefined, root: type.name };
  const value = decodeRecord(type, { ...input }, '', state);
  if (state.error !== undefined) return { ok: false, error: state.error };
  // The shape of `value` is what the description says, which is how T was inferred.
  return { ok: true, value: value as T, altered: state.altered };
}

function decodeRecord(
  type: RecordType,
  input: Record<string, unknown>,
  path: string,
  state: State,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...input };
  for (const { key, field } of type.fields) {
    const given = input[key];
    if (given === undefined && field.omitEmpty) continue;
    if (field.omitEmpty && leavesOut(field.type, given)) {
      delete out[key];
      state.altered = true;
      continue;
    }
    if (given === undefined || given === null) {
      const zero = zeroOf(field.type);
      if (zero !== given) {
        out[key] = zero;
        state.altered = true;
      }
      continue;
    }
    out[key] = decodeValue(field.type, given, path === '' ? key : `${path}.${key}`, field, state);
  }
  return out;
}

function decodeValue(type: Type, given: unknown, path: string, field: Field<unknown>, state: State): unknown {
  switch (type.kind) {
    case 'any':
      return given;
    case 'nullable':
      return decodeValue(type.of, given, path, field, state);
    case 'array': {
      if (!Array.isArray(given)) break;
      const items = given.map((item) =>
        item === null && type.of.kind !== 'any' ? fill(type.of, state) : decodeValue(type.of, item, path, field, state),
      );
      return items;
    }
    case 'record':
      if (typeof given === 'object' && given !== null && !Array.isArray(given))
        return decodeRecord(type, { ...given }, path, state);
      break;
    case 'object':
      if (typeof given === 'object' && !Array.isArray(given)) return given;
      break;
    case 'decimal': {
      const text = plainDecimal(given);
      if (text === undefined) break;
      if (text !== given) state.altered = true;
      return text;
    }
    case 'int':
      if (typeof given === 'number' && Number.isInteger(given)) return given;
      break;
    default:
      // The remaining kinds are the names that typeof gives.
      if (typeof given === type.kind) return given;
  }
  const name = field.typeName !== undefined && type === field.type ? field.typeName : typeNameOf(type);
  state.error ??= `json: cannot unmarshal ${jsonName(given)} into Go struct field ${state.root}.${path} of type ${name}`;
  return zeroOf(type);
}

/** Upstream keeps raw JSON whatever it says, and pointers unless they are null. */
const leavesOut = (type: Type, given: unknown): boolean =>
  type.kind === 'any' ? false : type.kind === 'nullable' ? given === null : isEmpty(given);

/** What *omit* leaves out of the others: zero values, empty lists and objects. */
const isEmpty = (value: unknown): boolean =>
  isZero(value) || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

function fill(type: Type, state: State): unknown {
  state.altered = true;
  return zeroOf(type);
}

function jsonName(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`;
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

function typeNameOf(type: Type): string {
  switch (type.kind) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float64';
    case 'object':
      return 'map[string]interface {}';
    case 'decimal':
      return 'decimal.Decimal';
    case 'nullable':
      return typeNameOf(type.of);
    case 'array':
      return `[]${typeNameOf(type.of)}`;
    case 'record':
      return type.name;
    case 'any':
      return 'interface {}';
    default:
      return type.kind;
  }
}
