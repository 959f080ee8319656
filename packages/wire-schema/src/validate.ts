/** Validation with upstream's messages, one line per field in declaration order (docs/wire/http-api.md#validation-messages). */
import { isObject } from '@plugin-daemon/values';
import type { RecordType, Type } from './types.ts';

export interface Violation {
  /** The whole path, such as `RequestInvokeTool.Data.Provider`. */
  readonly path: string;
  /** The last name, such as `Provider` or `Ids[0]`. */
  readonly field: string;
  readonly tag: string;
}

/** So many are told; what comes after them is not looked at. A list of a million wrong items must not become a text of as many lines. */
const MAX_VIOLATIONS = 100;

/** Checks a decoded record. `prefix` replaces the record's own name at the head of the paths. */
export function validate(type: RecordType, value: unknown, prefix: string = type.name): Violation[] {
  const found: Violation[] = [];
  checkRecord(type, value, prefix, found);
  return found;
}

/** The message text: one line per violation. */
export const formatViolations = (violations: readonly Violation[]): string =>
  violations
    .map((v) => `Key: '${v.path}' Error:Field validation for '${v.field}' failed on the '${v.tag}' tag`)
    .join('\n');

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function checkRecord(type: RecordType, value: unknown, path: string, found: Violation[]): void {
  const input = isObject(value) ? value : nothing;
  for (const { key, field, via } of type.fields) {
    if (found.length >= MAX_VIOLATIONS) return;
    const at = join(via.reduce(join, path), field.name);
    const given = input[key];
    const failed = field.omitEmpty && given === undefined ? undefined : field.rules.find((rule) => !rule.ok(given));
    if (failed !== undefined) found.push({ path: at, field: field.name, tag: failed.tag });
    else checkInside(field.type, given, at, field.name, found);
  }
  for (const { field, tag, ok } of type.rules ?? []) {
    if (!ok(input)) found.push({ path: join(path, field), field, tag });
  }
}

const nothing: Readonly<Record<string, unknown>> = {};

function checkInside(type: Type, value: unknown, path: string, name: string, found: Violation[]): void {
  if (value === null || value === undefined) return;
  if (type.kind === 'nullable') checkInside(type.of, value, path, name, found);
  else if (type.kind === 'record') checkRecord(type, value, path, found);
  else if (type.kind === 'array' && type.dive && Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (found.length >= MAX_VIOLATIONS) return;
      const failed = type.rules.find((rule) => !rule.ok(item));
      if (failed !== undefined) found.push({ path: `${path}[${i}]`, field: `${name}[${i}]`, tag: failed.tag });
      else checkInside(type.of, item, `${path}[${i}]`, `${name}[${i}]`, found);
    }
  }
}
