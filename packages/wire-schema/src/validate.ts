/** Validation of decoded records (docs/wire/http-api.md#validation-messages): what is broken, in declaration order. */
import { isObject } from '@plugin-daemon/values';
import { Findings, type Violation } from './primitives/index.ts';
import type { RecordType, Type } from './types.ts';

/** Checks a decoded record. `whole` replaces the record's own name at the head of the paths. */
export function validate(type: RecordType, value: unknown, whole: string = type.name): readonly Violation[] {
  const findings = new Findings(whole);
  checkRecord(type, value, findings);
  return findings.violations;
}

const nothing: Readonly<Record<string, unknown>> = {};

function checkRecord(type: RecordType, value: unknown, findings: Findings): void {
  const input = isObject(value) ? value : nothing;
  for (const { key, field, via } of type.fields) {
    if (findings.full) return;
    for (const embedded of via) findings.enter(embedded);
    findings.enter(field.name, key);
    const given = input[key];
    const failed =
      field.omitEmpty && given === undefined ? undefined : field.rules.find((rule) => !rule.ok(given, input));
    if (failed !== undefined) findings.report(failed.tag);
    else checkInside(field.type, given, findings);
    findings.leave();
    for (const _ of via) findings.leave();
  }
  for (const { field, tag, ok } of type.rules ?? []) {
    if (ok(input)) continue;
    findings.enter(field, type.fields.find((each) => each.field.name === field)?.key);
    findings.report(tag);
    findings.leave();
  }
}

function checkInside(type: Type, value: unknown, findings: Findings): void {
  if (value === null || value === undefined) return;
  if (type.kind === 'nullable') checkInside(type.of, value, findings);
  else if (type.kind === 'record') checkRecord(type, value, findings);
  else if (type.kind === 'array' && type.dive && Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (findings.full) return;
      findings.enterElement(i);
      const failed = type.rules.find((rule) => !rule.ok(item, nothing));
      if (failed !== undefined) findings.report(failed.tag);
      else checkInside(type.of, item, findings);
      findings.leave();
    }
  }
}
