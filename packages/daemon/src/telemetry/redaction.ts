import { cut, MAX_TEXT_BYTES } from './visible.ts';

/** Names of fields whose values are secrets. A plain `key` is none: storage keys are called so. */
const secretName =
  /(^|[_-])((api|server|private|access|secret|inner|admin|debugging)[_-]?key|hook([_-]?id)?|secret|password|passwd|token|authorization|cookie|credentials?)$/i;
const hidden = '[redacted]';
/** Names that were looked at: nearly all are ours, and few. */
const judged = new Map<string, boolean>();
const MAX_JUDGED = 1000;

function isSecretName(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const found = secretName.test(name);
  if (judged.size < MAX_JUDGED && name.length <= 64) judged.set(name, found);
  return found;
}

const deepest = 6;
/** Items of a list and entries of an object that are written. */
const MAX_ITEMS = 100;
/** Characters of all fields of one line together. */
const MAX_FIELDS = 32_768;

/**
 * The fields of one log call as the object that is written: errors as text, secrets replaced, everything below
 * `attributes`; the stack of an error beside it. Bounded in depth, items and length, whatever the fields hold.
 */
export function attributesOf(fields: Record<string, unknown>, filter?: SecretFilter): Record<string, unknown> {
  const cleaner = new FieldCleaner(filter);
  const attributes: Record<string, unknown> = {};
  let stack: string | undefined;
  let any = false;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    any = true;
    if (value instanceof Error) {
      // pino names an error that is given alone `err`; the log calls it `error` everywhere.
      attributes[key === 'err' ? 'error' : key] = cleaner.text(withCauses(value));
      stack ??= typeof value.stack === 'string' ? value.stack : undefined;
    } else {
      attributes[key] = cleaner.field(key, value, 0);
    }
  }
  if (!any) return {};
  return stack === undefined ? { attributes } : { attributes, stack_trace: cleanText(stack, filter) };
}

class FieldCleaner {
  readonly #filter: SecretFilter | undefined;
  #left = MAX_FIELDS;

  constructor(filter: SecretFilter | undefined) {
    this.#filter = filter;
  }

  field(key: string, value: unknown, depth: number): unknown {
    if (typeof value === 'object' && value !== null) return isSecretName(key) ? hidden : this.#object(value, depth);
    if (typeof value === 'string') return isSecretName(key) ? hidden : this.text(value);
    return value;
  }

  text(value: string): string {
    if (this.#left <= 0) return '[…]';
    const cleaned = cleanText(value, this.#filter);
    this.#left -= cleaned.length;
    return cleaned;
  }

  #object(value: object, depth: number): unknown {
    if (depth >= deepest || this.#left <= 0) return '[…]';
    if (value instanceof Error) return this.text(withCauses(value));
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) {
      const items = value.slice(0, MAX_ITEMS).map((item: unknown) => this.field('', item, depth + 1));
      return value.length > MAX_ITEMS ? [...items, `… (${value.length - MAX_ITEMS} more)`] : items;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) return value;
    const entries = Object.entries(value);
    const shown = entries
      .slice(0, MAX_ITEMS)
      .map(([name, item]): [string, unknown] => [this.text(name), this.field(name, item, depth + 1)]);
    if (entries.length > MAX_ITEMS) shown.push(['…', `${entries.length - MAX_ITEMS} more`]);
    return Object.fromEntries(shown);
  }
}

function withCauses(error: Error): string {
  const texts: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < deepest; depth++) {
    texts.push(at instanceof Error ? textOf(at.message || at.name) : textOf(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(': ');
}

/** Causes may be anything, also what cannot be made a text. */
const textOf = (value: unknown): string =>
  typeof value === 'object' || typeof value === 'function' ? '(a value that is no error)' : String(value);

/** A text without what opens doors in an address: passwords, queries and hooks; and no longer than a line bears. */
export function cleanText(text: string, filter?: SecretFilter): string {
  // A part of a secret, left by cutting, would not be found in the line.
  const whole = text.length * 3 > MAX_TEXT_BYTES && filter !== undefined ? filter.cleanText(text) : text;
  let cleaned = cut(whole);
  if (cleaned.includes('://')) cleaned = cleaned.replace(CREDENTIALS, `://${hidden}@`).replace(QUERY, `$1?${hidden}`);
  if (cleaned.includes('/e/')) cleaned = cleaned.replace(HOOK, `/e/${hidden}`);
  return cleaned;
}

const CREDENTIALS = /:\/\/[^\s/@"']{1,200}@/g;
const QUERY = /(:\/\/[^\s?"']{1,500})\?[^\s"']+/g;
const HOOK = /\/e\/[\w-]{8,}/g;

/** Replaces given values wherever they stand in a line of JSON. */
export class SecretFilter {
  readonly #plain: readonly string[];
  readonly #inJson: readonly string[];

  /** Values shorter than 8 characters are ignored: they would tear holes into ordinary text. */
  constructor(secrets: readonly (string | undefined)[]) {
    this.#plain = [...new Set(secrets)].flatMap((secret) =>
      secret !== undefined && secret.length >= 8 ? [secret] : [],
    );
    this.#inJson = this.#plain.map((secret) => JSON.stringify(secret).slice(1, -1));
  }

  clean(line: string): string {
    return without(this.#inJson, line);
  }

  /** The same for a text that is no JSON yet. */
  cleanText(text: string): string {
    return without(this.#plain, text);
  }
}

function without(secrets: readonly string[], text: string): string {
  let cleaned = text;
  for (const secret of secrets) if (cleaned.includes(secret)) cleaned = cleaned.replaceAll(secret, hidden);
  return cleaned;
}
