/** The connector's JSON: keys in any case, values of any type (docs/wire/lifecycle.md#connector). */
import { parseForeign } from '@plugin-daemon/plugin-host/json';

export type Fields = ReadonlyMap<string, unknown>;

/** The members of an object under their names in lower case; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]));
}

/** A text that is kept and shown, so long at most, and without what databases do not take. */
const LONGEST_TEXT = 8 * 1024;

export function word(fields: Fields, key: string): string {
  const value = fields.get(key);
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT).replaceAll('\0', '\ufffd').toWellFormed() : '';
}

/** A list of functions, of which a thousand are many: more names than this in it would stall everybody while they are read. */
export const LIST_PARTS = 50_000;
/** One event of a launch, which has four members. */
export const EVENT_PARTS = 1000;

/** @returns undefined for what is no object, or has more parts */
export const readFields = (text: string, maxParts: number): Fields | undefined => {
  const parsed = parseForeign(text, maxParts);
  return parsed.ok ? fieldsOf(parsed.value) : undefined;
};

/** Instances that are looked at; the first is the one that counts. */
export function firstInstance(fields: Fields): { readonly url: string; readonly name: string } | undefined {
  const items = fields.get('items');
  const first: unknown = Array.isArray(items) ? items[0] : undefined;
  const found = fieldsOf(first);
  return found && { url: word(found, 'endpoint'), name: word(found, 'name') };
}
