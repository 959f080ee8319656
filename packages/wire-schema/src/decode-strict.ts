/**
 * Strict decoding, for what plugins send: a value of the wrong type is an error with upstream's words, null and missing are the
 * zero value, undeclared fields are kept (docs/wire/http-api.md#models, docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
import { isObject } from '@plugin-daemon/values';
import { keyInAnyCase, zeroOf } from './decode.ts';
import { decimalProblem, jsonTypeOf, MAX_INT, plainDecimal, scalars } from './primitives/index.ts';
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
}

/** Where a value stands: the names that messages need. */
interface Place {
  readonly owner: string;
  readonly path: string;
  readonly field: Field<unknown>;
}

/**
 * Decodes `input` as `type`. `typeName` is the whole type's name in messages (`tool_entities.ToolResponseChunk`).
 * The first mismatch is reported, as upstream does; presence rules are checked by `validate` afterwards.
 */
export function decodeStrict<T>(
  type: RecordOf<T>,
  input: unknown,
  typeName: string = type.typeName ?? type.name,
): StrictResult<T> {
  if (input !== null && !isObject(input)) {
    return { ok: false, error: `json: cannot unmarshal ${jsonTypeOf(input)} into Go value of type ${typeName}` };
  }
  const state: State = { altered: input === null, error: undefined };
  const value = decodeRecord(type, input ?? {}, '', state);
  if (state.error !== undefined) return { ok: false, error: state.error };
  // The shape of `value` is what the description says, which is how T was inferred.
  return { ok: true, value: value as T, altered: state.altered };
}

function decodeRecord(
  type: RecordType,
  input: Readonly<Record<string, unknown>>,
  path: string,
  state: State,
): Record<string, unknown> {
  const out: Record<string, unknown> = { ...input };
  for (const { key, field } of type.fields) {
    let given = input[key];
    if (given === undefined) {
      const other = keyInAnyCase(input, key);
      if (other !== undefined) {
        given = input[other];
        delete out[other];
        out[key] = given;
        state.altered = true;
      }
    }
    if (given === undefined && field.omitEmpty) continue;
    if (given === undefined || given === null) {
      if (field.omitEmpty && field.type.kind !== 'any') {
        delete out[key];
        state.altered = true;
        continue;
      }
      const zero = zeroOf(field.type);
      if (zero !== given) {
        out[key] = zero;
        state.altered = true;
      }
      continue;
    }
    const place = { owner: type.fieldsOf ?? type.name, path: path === '' ? key : `${path}.${key}`, field };
    const value = decodeValue(field.type, given, place, state);
    if (field.omitEmpty && isEmpty(field.type, value)) {
      delete out[key];
      state.altered = true;
    } else out[key] = value;
  }
  return out;
}

function decodeValue(type: Type, given: unknown, place: Place, state: State): unknown {
  switch (type.kind) {
    case 'any':
      return given;
    case 'nullable':
      return decodeValue(type.of, given, place, state);
    case 'array':
      if (!Array.isArray(given)) break;
      return given.map((item) =>
        item === null && type.of.kind !== 'any' ? fill(type.of, state) : decodeValue(type.of, item, place, state),
      );
    case 'record':
      if (isObject(given)) return decodeRecord(type, given, place.path, state);
      break;
    case 'object':
      if (isObject(given)) return given;
      break;
    case 'decimal': {
      const text = plainDecimal(given);
      if (text === undefined) {
        state.error ??= decimalProblem(given);
        return zeroOf(type);
      }
      if (text !== given) state.altered = true;
      return text;
    }
    case 'int':
      if (typeof given === 'number' && Number.isInteger(given) && Math.abs(given) <= MAX_INT) return given;
      break;
    default:
      // The remaining kinds are the names that typeof gives.
      if (typeof given === type.kind) return given;
  }
  const name = nameIn(place.field, type);
  // Of numbers, only those that are no integer of the size asked for are told.
  const what = type.kind === 'int' && typeof given === 'number' ? `number ${given}` : jsonTypeOf(given);
  state.error ??= `json: cannot unmarshal ${what} into Go struct field ${place.owner}.${place.path} of type ${name}`;
  return zeroOf(type);
}

/** The name of a type in messages: the field's own name for it, where it has one. */
function nameIn({ typeName, type: whole }: Field<unknown>, type: Type): string {
  const isWhole = type === whole || (whole.kind === 'nullable' && type === whole.of);
  return isWhole && typeName !== undefined ? typeName : typeNameOf(type);
}

/** What *omit* leaves out: empty texts, lists and objects, zeros. Values of any kind stand for themselves. */
function isEmpty(type: Type, value: unknown): boolean {
  if (type.kind === 'any' || type.kind === 'nullable') return false;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false || value === null;
}

function fill(type: Type, state: State): unknown {
  state.altered = true;
  return zeroOf(type);
}

function typeNameOf(type: Type): string {
  switch (type.kind) {
    case 'nullable':
      return typeNameOf(type.of);
    case 'array':
      return `[]${typeNameOf(type.of)}`;
    case 'record':
      return type.typeName ?? type.name;
    default:
      return scalars[type.kind].typeName;
  }
}
