import { isObject } from '@plugin-daemon/values';
import type { Problem } from '../errors.ts';
import { PackageError } from '../errors.ts';
import { type FieldNode, type ObjectShape, type Rule, zeroOf } from './shape.ts';
import { SCOPES } from './shapes/index.ts';

/** So many are told; a list of a hundred thousand empty objects must not become a text of as many lines. */
const MAX_PROBLEMS = 100;

/**
 * Applies the rules of a shape's table to a decoded, not yet completed value and returns all violations in table order,
 * in the words of docs/wire/packages.md#rule-words. Whether they are errors is the caller's business: on the package path most are not.
 */
export function findViolations(shape: ObjectShape, value: unknown): Violation[] {
  const problems: Violation[] = [];
  checkObject(shape, value, { text: shape.type, keys: [] }, problems);
  return problems;
}

/** A broken rule. */
export interface Violation extends Problem {
  /** keys and indexes that lead to the value, as they are in the file */
  readonly keys: readonly (string | number)[];
}

/** Where a value is: in the words of messages, and by its keys. */
interface Place {
  readonly text: string;
  readonly keys: readonly (string | number)[];
}

/** @throws PackageError with all violations, a line each */
export function requireValid(shape: ObjectShape, value: unknown): void {
  const problems = findViolations(shape, value);
  if (problems.length === 0) return;
  throw new PackageError(problems.map((problem) => problem.message).join('\n'), { problems });
}

function checkObject(shape: ObjectShape, value: unknown, place: Place, problems: Violation[]): void {
  if (!isObject(value)) return;
  const embedded = shape.hooks.embedded;
  for (const field of shape.fields) {
    if (problems.length >= MAX_PROBLEMS) return;
    const prefix = embedded?.fields.includes(field.key) ? `${place.text}.${embedded.as}` : place.text;
    checkField(field, value, { text: `${prefix}.${field.label}`, keys: [...place.keys, field.key] }, problems);
  }
}

function checkField(field: FieldNode, owner: Record<string, unknown>, place: Place, problems: Violation[]): void {
  const value = owner[field.key] ?? null;
  if (field.optional && isAbsent(field, value)) return;
  for (const rule of field.rules) {
    if (holds(rule, value, owner, field)) continue;
    problems.push(violation(place, field.label, tagOf(rule)));
    return;
  }
  if (!field.dive || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      if (problems.length >= MAX_PROBLEMS) return;
      checkItem(
        field,
        item,
        `${field.label}[${i}]`,
        { text: `${place.text}[${i}]`, keys: [...place.keys, i] },
        problems,
      );
    }
  } else if (field.shape.kind === 'object') {
    checkObject(field.shape, value, place, problems);
  }
}

function checkItem(field: FieldNode, item: unknown, label: string, place: Place, problems: Violation[]): void {
  for (const rule of field.each) {
    if (holds(rule, item, isObject(item) ? item : {}, field)) continue;
    problems.push(violation(place, label, tagOf(rule)));
    return;
  }
  if ('of' in field.shape && field.shape.of.kind === 'object') checkObject(field.shape.of, item, place, problems);
}

/** Zero values end the rules of an optional field; of a nullable one null alone does. */
function isAbsent(field: FieldNode, value: unknown): boolean {
  if (value === null) return true;
  if (field.absent !== 'zero' && field.absent !== 'omit-empty') return false;
  if (field.shape.kind === 'object') return JSON.stringify(value) === JSON.stringify(zeroOf(field.shape));
  return value === '' || value === 0 || value === false;
}

function holds(rule: Rule, value: unknown, owner: Record<string, unknown>, field: FieldNode): boolean {
  switch (rule.rule) {
    case 'required':
      return isPresent(value, field);
    case 'max':
    case 'lte':
      return measure(value) <= rule.limit;
    case 'min':
      return measure(value) >= rule.limit;
    case 'lt':
      return measure(value) < rule.limit;
    case 'gt':
      return measure(value) > rule.limit;
    case 'one-of':
      return typeof value === 'string' && rule.values.includes(value);
    case 'pattern':
      return typeof value === 'string' && rule.pattern.test(value);
    case 'basic':
      return ['string', 'number', 'boolean'].includes(typeof value) || !isCollection(value);
    case 'scope':
      return typeof value === 'string' && isKnownScope(value, owner['type']);
    case 'url':
      return typeof value === 'string' && isUrl(value);
    case 'parameter-rule':
      return (owner['use_template'] ?? null) !== null || (owner['type'] ?? null) !== null;
  }
}

function isPresent(value: unknown, field: FieldNode): boolean {
  if (value === null) return false;
  if (field.absent !== 'zero') return true;
  return field.shape.kind === 'timestamp' ? value !== zeroOf(field.shape) : value !== '' && value !== 0;
}

/** Texts count in code points, lists in items, numbers as they are. */
function measure(value: unknown): number {
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value)) return value.length;
  return Number(value);
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function isCollection(value: unknown): boolean {
  return Array.isArray(value) || isObject(value);
}

/** One known part is enough, whatever the others are. */
function isKnownScope(scope: string, type: unknown): boolean {
  const known = SCOPES.get(typeof type === 'string' ? type : '') ?? [];
  return scope.split('&').some((part) => known.includes(part.trim()));
}

function isUrl(text: string): boolean {
  const parts = /^([a-zA-Z][a-zA-Z0-9+.-]*):(\/\/([^/?#]*))?([^#]*)(#[\s\S]*)?$/.exec(text);
  if (parts === null) return false;
  const [, scheme, authority, host, rest, fragment] = parts;
  if (fragment !== undefined && /[\n\r\u2028\u2029]/.test(fragment)) return false;
  if (scheme?.toLowerCase() === 'file') return (host ?? '') !== '' || (rest ?? '') !== '';
  const opaque = authority === undefined && rest !== undefined && rest !== '' && !rest.startsWith('/');
  return (host ?? '') !== '' || (fragment ?? '') !== '' || opaque;
}

function tagOf(rule: Rule): string {
  switch (rule.rule) {
    case 'one-of':
    case 'pattern':
      return rule.tag;
    case 'basic':
      return 'is_basic_type';
    case 'scope':
      return 'is_scope';
    case 'parameter-rule':
      return 'parameter_rule';
    default:
      return rule.rule;
  }
}

function violation(place: Place, label: string, tag: string): Violation {
  const message = `Key: '${place.text}' Error:Field validation for '${label}' failed on the '${tag}' tag`;
  return { message, keys: place.keys };
}
