import type { Json } from './json.ts';

/**
 * Integers up to 2^64 occur in declarations (limits of a `seed`, for example) and must reach Dify digit by digit. What a
 * double cannot hold is kept as a raw JSON value, which JSON.stringify writes as it is.
 */
export function exactInteger(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : rawJson(String(value));
}

/** JSON.parse that keeps the digits of integers beyond 2^53. @throws SyntaxError */
export function parseExactJson(text: string): unknown {
  // the reviver costs several times the parsing: only where a long run of digits occurs at all
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, reviveInteger);
}

/** The part of JSON that the type library does not know yet. */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}

const rawJsonParts = JSON as unknown as RawJson;

/** Whether a value is an integer too large for a number. */
export function isRawNumber(value: unknown): boolean {
  return rawJsonParts.isRawJSON(value);
}

function reviveInteger(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  const lost = typeof value === 'number' && !Number.isSafeInteger(value);
  return lost && source !== undefined && /^-?\d+$/.test(source) ? rawJson(source) : value;
}

function rawJson(digits: string): Json {
  // to a JSON writer, and so to everyone a declaration is made for, the result is a number like any other
  return rawJsonParts.rawJSON(digits) as Json;
}
