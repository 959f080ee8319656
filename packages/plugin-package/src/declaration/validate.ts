import { isObject } from '@plugin-daemon/values';
import { Findings, type Rule, type Violation, violationText } from '@plugin-daemon/wire-schema';
import { PackageError } from '../errors.ts';
import { type FieldNode, type ObjectShape, zeroOf } from './shape.ts';

/**
 * Applies the rules of a shape's table to a decoded, not yet completed value and returns what is broken, in table order
 * (docs/wire/packages.md#rule-words). Whether these are errors is the caller's business: on the package path most are not.
 */
export function findViolations(shape: ObjectShape, value: unknown): readonly Violation[] {
  const findings = new Findings(shape.type);
  checkObject(shape, value, findings);
  return findings.violations;
}

/** @throws PackageError with all violations, a line each */
export function requireValid(shape: ObjectShape, value: unknown): void {
  const problems = findViolations(shape, value).map((violation) => ({ message: violationText(violation) }));
  if (problems.length === 0) return;
  throw new PackageError(problems.map((problem) => problem.message).join('\n'), { problems });
}

function checkObject(shape: ObjectShape, value: unknown, findings: Findings): void {
  if (!isObject(value)) return;
  const embedded = shape.hooks.embedded;
  for (const field of shape.fields) {
    if (findings.full) return;
    const within = embedded?.fields.includes(field.key) === true;
    if (within) findings.enter(embedded.as);
    findings.enter(field.label, field.key);
    checkField(field, value, findings);
    findings.leave();
    if (within) findings.leave();
  }
}

function checkField(field: FieldNode, owner: Record<string, unknown>, findings: Findings): void {
  const value = owner[field.key] ?? null;
  if (field.optional && isAbsent(field, value)) return;
  const broken = field.rules.find((rule) => !holds(rule, value, owner, field));
  if (broken !== undefined) {
    findings.report(broken.tag);
    return;
  }
  if (!field.dive || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (findings.full) return;
      findings.enterElement(i);
      checkItem(field, item, findings);
      findings.leave();
    }
  } else if (field.shape.kind === 'record') {
    checkObject(field.shape, value, findings);
  }
}

function checkItem(field: FieldNode, item: unknown, findings: Findings): void {
  const owner = isObject(item) ? item : {};
  const broken = field.each.find((rule) => !holds(rule, item, owner, field));
  if (broken !== undefined) findings.report(broken.tag);
  else if ('of' in field.shape && field.shape.of.kind === 'record') checkObject(field.shape.of, item, findings);
}

/** Zero values end the rules of an optional field; of a nullable one null alone does. */
function isAbsent(field: FieldNode, value: unknown): boolean {
  if (value === null) return true;
  if (field.absent !== 'zero' && field.absent !== 'omit-empty') return false;
  if (field.shape.kind === 'record') return JSON.stringify(value) === JSON.stringify(zeroOf(field.shape));
  return value === '' || value === 0 || value === false;
}

/** What a field has to have depends on what it holds when it is absent; everything else is the rule's own. */
const holds = (rule: Rule, value: unknown, owner: Record<string, unknown>, field: FieldNode): boolean =>
  rule.presence ? isPresent(value, field) : rule.ok(value, owner);

function isPresent(value: unknown, field: FieldNode): boolean {
  if (value === null) return false;
  if (field.absent !== 'zero') return true;
  return field.shape.kind === 'timestamp' ? value !== zeroOf(field.shape) : value !== '' && value !== 0;
}
