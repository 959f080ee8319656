/** How the stream messages of one action are read. */

import type { Room } from '@plugin-daemon/plugin-host/budget';
import { type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import { parseForeign, wellFormedJson } from '@plugin-daemon/plugin-host/json';
import { toLatin1 } from '@plugin-daemon/plugin-host/text';
import { decodeStrict, formatViolations, type RecordOf, type RecordType, validate } from '@plugin-daemon/wire-schema';

/**
 * Reads one payload: bytes-as-latin1 JSON text in, the text for the caller out (the same text wherever nothing has to be changed).
 * `''` sends nothing; undefined says that the input is no JSON value; a SessionError ends the session.
 */
export type AnswerReader = (json: string) => string | SessionError | undefined;

/** Where a reader counts what it keeps of an answer; given back when the session is over. */
export type KeptBytes = Pick<Room, 'grow'>;

/** The answer type of an action: a new reader for each session, as some remember. */
export interface AnswerSpec {
  readonly reader: (kept?: KeptBytes) => AnswerReader;
  /** Describes the payload, for the OpenAPI document. */
  readonly record: RecordType;
}

export const unmarshalError = (reason: string): SessionError =>
  sessionError('unmarshal_error', `unmarshal json failed: ${reason}`.toWellFormed());

/** Bytes-as-latin1 text as an ordinary string. */
export const fromLatin1 = (json: string): string => Buffer.from(json, 'latin1').toString('utf8');

/** Parses JSON text; undefined if it is none, or too deep: the line will then be read the ordinary way, which reports it. */
export function parseJson(json: string): { readonly value: unknown } | undefined {
  const parsed = parseForeign(json);
  return parsed.ok ? parsed : undefined;
}

export interface CheckedOptions<T> {
  /** Name of the whole type in messages. */
  readonly typeName?: string;
  /** Undeclared fields are dropped instead of passed on, where the contract says so. */
  readonly declaredOnly?: boolean;
  /** A last look: returns what is wrong, or undefined; may change the value and then says so. */
  readonly refine?: (value: T) => { readonly error?: string; readonly altered?: boolean } | undefined;
}

/**
 * An answer that is checked against its record and passed on as it came unless something had to be filled in
 * (docs/wire/http-api.md#dispatch).
 */
export function checked<T>(record: RecordOf<T>, options: CheckedOptions<T> = {}): AnswerSpec {
  return { record, reader: () => (json) => readChecked(record, json, options) };
}

export function readChecked<T>(
  record: RecordOf<T>,
  json: string,
  { typeName, declaredOnly, refine }: CheckedOptions<T> = {},
): string | SessionError | undefined {
  const text = fromLatin1(json);
  const parsed = parseJson(text);
  if (parsed === undefined) return undefined;
  const decoded = decodeStrict(record, parsed.value, typeName);
  if (!decoded.ok) return unmarshalError(decoded.error);
  const violations = validate(record, decoded.value);
  if (violations.length > 0) return unmarshalError(formatViolations(violations));
  const refined = refine?.(decoded.value);
  if (refined?.error !== undefined) return unmarshalError(refined.error);
  if (declaredOnly === true) return encodeAnswer(onlyDeclared(record, decoded.value));
  return decoded.altered || refined?.altered === true || hasSurrogates(json) ? encodeAnswer(decoded.value) : json;
}

/** Whether there are escaped surrogates: some of them may stand alone, which readers of the answer refuse or cannot store. */
export const hasSurrogates = (json: string): boolean => json.includes('\\u') && /\\u[dD][89a-fA-F]/.test(json);

/** An answer as text. */
export const encodeAnswer = (value: unknown): string => toLatin1(wellFormedJson(value));

function onlyDeclared(record: RecordType, value: unknown): Record<string, unknown> {
  const given = new Map(Object.entries(Object.assign({}, value)));
  return Object.fromEntries(record.fields.filter(({ key }) => given.has(key)).map(({ key }) => [key, given.get(key)]));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a JSON string may not contain.
const plain = /[^"\\\x00-\x1f]*/y;
const escaped = /\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})/y;

/**
 * Whether `text[from, to)` is the inside of a JSON string, so that text around it can be trusted to be what it seems. Escaped
 * surrogates are not looked into: false.
 */
export function isStringContent(text: string, from: number, to: number): boolean {
  // What stands before and after may overlap.
  if (from > to) return false;
  for (let at = from; at < to; ) {
    plain.lastIndex = at;
    plain.test(text);
    at = plain.lastIndex;
    if (at >= to) return at === to;
    escaped.lastIndex = at;
    if (!escaped.test(text)) return false;
    at = escaped.lastIndex;
    if (at > to) return false;
  }
  return true;
}
