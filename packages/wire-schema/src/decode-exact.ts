/**
 * Exact decoding, for requests that nobody but us defines: an undeclared field or a wrong type is an error that names it, since a setting
 * that is misspelt must not become another one. Only null and missing fields are forgiven; they are the zero value.
 */
import { isObject } from '@plugin-daemon/values';
import { zeroOf } from './decode.ts';
import { plainDecimal } from './primitives/index.ts';
import type { RecordOf, RecordType, Type } from './types.ts';

export type DecodedExactly<T> =
  | { readonly ok: true; readonly value: T }
  /** `problem`: what of the first thing that does not fit, and what it may be. */
  | { readonly ok: false; readonly problem: string };

const MOST_SHOWN = 64;

const kinds = {
  string: { what: 'a text', is: (given: unknown) => typeof given === 'string' },
  boolean: { what: 'true or false', is: (given: unknown) => typeof given === 'boolean' },
  int: { what: 'a whole number', is: Number.isSafeInteger },
  number: { what: 'a number', is: Number.isFinite },
  decimal: { what: 'a number', is: (given: unknown) => plainDecimal(given) !== undefined },
  object: { what: 'an object', is: isObject },
  any: { what: 'anything', is: () => true },
} as const;

class Mismatch extends Error {}

export function decodeExactly<T>(type: RecordOf<T>, input: unknown): DecodedExactly<T> {
  try {
    // The shape of it is what the description says, which is how T was inferred.
    return { ok: true, value: decodeRecord(type, input, '') as T };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, problem: error.message };
    throw error;
  }
}

function decodeRecord(type: RecordType, input: unknown, path: string): Record<string, unknown> {
  if (!isObject(input)) throw new Mismatch(`${path || 'the request'} is not an object`);
  const within = path === '' ? '' : `${path}.`;
  const names = type.fields.map(({ key }) => key);
  for (const name in input)
    if (!names.includes(name))
      throw new Mismatch(`${within}${name.slice(0, MOST_SHOWN)} is no field: there are ${names.join(', ')}`);
  return Object.fromEntries(
    type.fields.map(({ key, field }) => {
      const given = Object.hasOwn(input, key) ? input[key] : undefined;
      return [key, given === undefined ? zeroOf(field.type) : decodeValue(field.type, given, `${within}${key}`)];
    }),
  );
}

function decodeValue(type: Type, given: unknown, path: string): unknown {
  if (given === null) return zeroOf(type);
  switch (type.kind) {
    case 'nullable':
      return decodeValue(type.of, given, path);
    case 'record':
      return decodeRecord(type, given, path);
    case 'array':
      if (!Array.isArray(given)) throw new Mismatch(`${path} is not a list`);
      return given.map((item, i) => decodeValue(type.of, item, `${path}[${i}]`));
    default: {
      const { what, is } = kinds[type.kind];
      if (!is(given)) throw new Mismatch(`${path} is not ${what}`);
      return given;
    }
  }
}
