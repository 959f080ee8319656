/**
 * Tolerant decoding: declared fields only, wrong or missing ones become their zero value (docs/wire/http-api.md#binding,
 * docs/wire/runtime-protocol.md#to-the-plugin).
 */
import { isObject } from '@plugin-daemon/values';
import { isZero, MAX_INT, plainDecimal, scalars } from './primitives/index.ts';
import type { RecordOf, RecordType, Type } from './types.ts';

export interface Decoded<T> {
  /** Every declared field, in order; those marked *omit* only when not zero. */
  readonly value: T;
  /** Keys of this record that the input lacks. */
  readonly missing: readonly string[];
  /** Whether `value` differs from the input in more than missing keys and undeclared ones: the input cannot be passed on as it is. */
  readonly altered: boolean;
  /** Keys whose value makes it so. */
  readonly changed: readonly string[];
}

interface Notes {
  altered: boolean;
}

/** Decodes `input` (a parsed JSON value) as `type`. Never fails: what does not fit is left at its zero value. */
export function decode<T>(type: RecordOf<T>, input: unknown): Decoded<T> {
  const missing: string[] = [];
  const changed: string[] = [];
  const value = decodeRecord(type, isObject(input) ? input : {}, { altered: false }, { missing, changed });
  // The shape of `value` is what the description says, which is how T was inferred.
  return { value: value as T, missing, altered: changed.length > 0, changed };
}

/** What is noted of each field of the outermost record. */
interface FieldNotes {
  readonly missing: string[];
  readonly changed: string[];
}

function decodeRecord(
  type: RecordType,
  input: Record<string, unknown>,
  notes: Notes,
  each?: FieldNotes,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { key, field } of type.fields) {
    if (each !== undefined) notes.altered = false;
    let given = input[key];
    if (given === undefined && !Object.hasOwn(input, key)) {
      const other = keyInAnyCase(input, key);
      if (other !== undefined) {
        given = input[other];
        notes.altered = true;
      }
    }
    if (given === undefined) {
      if (each === undefined) notes.altered = true;
      else if (!field.omitEmpty) each.missing.push(key);
    }
    const read = given === undefined ? undefined : (field.before?.(given) ?? given);
    if (read !== given) notes.altered = true;
    const value = read === undefined ? zeroOf(field.type) : decodeValue(field.type, read, notes);
    if (!(field.omitEmpty && isZero(value))) out[key] = value;
    else if (given !== undefined) notes.altered = true;
    if (each !== undefined && notes.altered) each.changed.push(key);
  }
  return out;
}

function decodeValue(type: Type, given: unknown, notes: Notes): unknown {
  switch (type.kind) {
    case 'any':
      return given;
    case 'nullable':
      return given === null ? null : decodeValue(type.of, given, notes);
    case 'array':
      if (Array.isArray(given)) return given.map((item) => decodeValue(type.of, item, notes));
      break;
    case 'record':
      if (isObject(given)) return decodeRecord(type, given, notes);
      break;
    case 'object':
      if (isObject(given)) return given;
      break;
    case 'decimal': {
      const text = plainDecimal(given);
      if (text !== undefined) return text;
      break;
    }
    case 'int':
      if (typeof given === 'number' && Number.isInteger(given) && Math.abs(given) <= MAX_INT) return given;
      break;
    default:
      // The remaining kinds are the names that typeof gives.
      if (typeof given === type.kind) return given;
  }
  const zero = zeroOf(type);
  if (zero !== given) notes.altered = true;
  return zero;
}

/** The value of a field that was not sent. */
export function zeroOf(type: Type): unknown {
  switch (type.kind) {
    case 'record':
      return decodeRecord(type, {}, { altered: false });
    case 'array':
    case 'nullable':
      return null;
    default:
      return scalars[type.kind].zero;
  }
}

/** The key that a field was sent under when its own is not there: letters in another case. */
export function keyInAnyCase(input: Readonly<Record<string, unknown>>, key: string): string | undefined {
  for (const candidate in input) {
    if (candidate.length === key.length && candidate.toLowerCase() === key.toLowerCase()) return candidate;
  }
  return undefined;
}
