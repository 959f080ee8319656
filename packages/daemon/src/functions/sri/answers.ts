/** The connector's JSON: keys in any case, values of any type (docs/wire/lifecycle.md#connector). */
import { parseForeign } from '@plugin-daemon/plugin-host/json';

export type Fields = ReadonlyMap<string, unknown>;

/** The members of an object under their names in lower case; undefined for anything else. */
export function fieldsOf(value: unknown): Fields | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]));
}

/** A text that is kept and shown, so long at most. */
const LONGEST_TEXT = 8 * 1024;

export function word(fields: Fields, key: string): string {
  const value = fields.get(key);
  return typeof value === 'string' ? value.slice(0, LONGEST_TEXT).toWellFormed() : '';
}

export const readFields = (text: string): Fields | undefined => {
  const parsed = parseForeign(text);
  return parsed.ok ? fieldsOf(parsed.value) : undefined;
};

/** Instances that are looked at; the first is the one that counts. */
export function firstInstance(fields: Fields): { readonly url: string; readonly name: string } | undefined {
  const items = fields.get('items');
  const first: unknown = Array.isArray(items) ? items[0] : undefined;
  const found = fieldsOf(first);
  return found && { url: word(found, 'endpoint'), name: word(found, 'name') };
}
