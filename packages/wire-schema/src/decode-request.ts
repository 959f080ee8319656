/**
 * Decoding of requests that are passed on to a third party: declared fields only, `null` and missing ones become their
 * zero value, a wrong type is an error (docs/wire/runtime-protocol.md#kinds-and-permissions: what plugins ask of Dify). In contrast
 * `decode` forgives wrong types, and `decodeStrict` keeps undeclared fields.
 */
import { isObject } from '@plugin-daemon/values';
import { keyInAnyCase, zeroOf } from './decode.ts';
import { isZero, scalars, valueText } from './primitives/index.ts';
import type { Field, RecordOf, RecordType, Type } from './types.ts';

export type DecodedRequest<T> =
  | { readonly ok: true; readonly value: T }
  /** `message` lists every mismatch, sorted, in the form that plugin authors know from upstream. */
  | { readonly ok: false; readonly message: string };

/** Decodes `input` (a parsed JSON value) as `type`, or says what does not fit. Keys match in any case. */
export function decodeRequest<T>(type: RecordOf<T>, input: unknown): DecodedRequest<T> {
  const mismatches = new Mismatches();
  const value = decodeValue(type, input, '', mismatches);
  if (mismatches.count > 0) return { ok: false, message: mismatches.text };
  // The shape of `value` is what the description says, which is how T was inferred.
  return { ok: true, value: value as T };
}

/** So many are told of each request, and all are counted. */
const MAX_TOLD = 100;

class Mismatches {
  readonly #told: string[] = [];
  count = 0;

  add(text: string): void {
    this.count++;
    if (this.#told.length < MAX_TOLD) this.#told.push(`* ${text}`);
  }

  get text(): string {
    return `${this.count} error(s) decoding:\n\n${this.#told.toSorted().join('\n')}`;
  }
}

function decodeRecord(
  type: RecordType,
  input: Readonly<Record<string, unknown>>,
  path: string,
  mismatches: Mismatches,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { key, field } of type.fields) {
    const given = Object.hasOwn(input, key) ? input[key] : input[keyInAnyCase(input, key) ?? key];
    const at = path === '' ? key : `${path}.${key}`;
    const value = given === undefined ? zeroOf(field.type) : decodeValue(field.type, given, at, mismatches, field);
    if (field.omitEmpty && isZero(value)) continue;
    out[key] = value;
  }
  return out;
}

function decodeValue(
  type: Type,
  given: unknown,
  path: string,
  mismatches: Mismatches,
  field?: Field<unknown>,
): unknown {
  if (given === null && type.kind !== 'any') return zeroOf(type);
  switch (type.kind) {
    case 'any':
      return given;
    case 'nullable':
      return decodeValue(type.of, given, path, mismatches, field);
    case 'array':
      if (Array.isArray(given)) {
        return given.map((item, i) => decodeValue(type.of, item, `${path}[${i}]`, mismatches));
      }
      mismatches.add(`'${path}': source data must be an array or slice, got ${kindOf(given)}`);
      return null;
    case 'record':
      if (isObject(given)) return decodeRecord(type, given, path, mismatches);
      mismatches.add(`'${path}' expected a map, got '${kindOf(given)}'`);
      return zeroOf(type);
    case 'object':
      if (isObject(given)) return given;
      mismatches.add(`'${path}' expected a map, got '${kindOf(given)}'`);
      return null;
    case 'int':
      // Fractions are cut off, as upstream does.
      if (typeof given === 'number') return Math.trunc(given);
      break;
    case 'decimal':
      if (typeof given === 'string' || typeof given === 'number') return String(given);
      break;
    default:
      // The remaining kinds are the names that typeof gives.
      if (typeof given === type.kind) return given;
  }
  mismatches.add(
    `'${path}' expected type '${field?.typeName ?? (type.kind === 'decimal' ? 'decimal' : scalars[type.kind].typeName)}', got unconvertible type '${typeOf(given)}', value: '${valueText(given)}'`,
  );
  return zeroOf(type);
}

/** The words for JSON types in these messages. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map';
}

function typeOf(value: unknown): string {
  const kind = kindOf(value);
  if (kind === 'slice') return '[]interface {}';
  return kind === 'map' ? 'map[string]interface {}' : kind;
}
