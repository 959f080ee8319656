/** The rules that records and package files use, with upstream's tags. */

/** One check of a value. Rules run in order; the first that fails is reported under its tag. */
export interface Rule {
  /** The word in the message: `failed on the '<tag>' tag`. */
  readonly tag: string;
  /** @param owner what the value stands in */
  readonly ok: (value: unknown, owner: Readonly<Record<string, unknown>>) => boolean;
  /** The rule asks for a value that is not zero. */
  readonly presence?: boolean;
  /** How much there may be: of a text in characters, of a list in elements, of an object in members, of a number as it is. */
  readonly bound?: { readonly is: 'min' | 'max' | 'lt'; readonly limit: number };
  /** All that is allowed. */
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  /** What else it adds to a JSON Schema. */
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** Not the zero value: a non-empty text, a number other than 0, true, a list or object that is there (even if empty). */
export const required: Rule = { tag: 'required', ok: (value) => !isZero(value), presence: true };

export const isZero = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || value === 0 || value === false;

export const min = (limit: number): Rule => ({
  tag: 'min',
  ok: (value) => measure(value) >= limit,
  bound: { is: 'min', limit },
});

export const max = (limit: number): Rule => ({
  tag: 'max',
  ok: (value) => measure(value) <= limit,
  bound: { is: 'max', limit },
});

/** As `max`, under another tag. */
export const lte = (limit: number): Rule => ({ ...max(limit), tag: 'lte' });

export const lt = (limit: number): Rule => ({
  tag: 'lt',
  ok: (value) => measure(value) < limit,
  bound: { is: 'lt', limit },
});

/** Characters of texts are code points. */
function measure(value: unknown): number {
  if (typeof value === 'string') return codePoints(value);
  if (Array.isArray(value)) return value.length;
  if (value === null || value === undefined) return 0;
  // An integer too large for a number is an object that JSON writes as its digits.
  return typeof value === 'object' ? sizeOf(value) : Number(value);
}

const sizeOf = (value: object): number =>
  Object.getPrototypeOf(value) === null && 'rawJSON' in value ? Number(value.rawJSON) : Object.keys(value).length;

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

export const eq = (expected: string): Rule => ({
  tag: 'eq',
  ok: (value) => value === expected,
  values: [expected],
  schema: { const: expected },
});

export const oneOf = (values: readonly string[], tag = 'oneof'): Rule => ({
  tag,
  ok: (value) => typeof value === 'string' && values.includes(value),
  values,
});

export const pattern = (tag: string, expression: RegExp): Rule => ({
  tag,
  ok: (value) => typeof value === 'string' && expression.test(value),
  pattern: expression,
});

/** Checks nothing: says in the JSON Schema what a loosely decoded field holds. */
export const holds = (schema: NonNullable<Rule['schema']>): Rule => ({ tag: '', ok: () => true, schema });

/** A check of its own under a tag of its own. */
export const rule = (tag: string, ok: Rule['ok'], schema: NonNullable<Rule['schema']> = {}): Rule => ({
  tag,
  ok,
  schema,
});
