import { isObject } from '@plugin-daemon/values';
import { plainDecimal } from '@plugin-daemon/wire-schema';
import { fromLatin1, parseJson } from '../answers/answer.ts';

/** The answer of one batch, as its action's reader has accepted it. */
export interface BatchAnswer {
  readonly json: string;
  readonly texts: number;
}

/** Why answers do not fit together: what is named so in upstream's message. */
export interface Mismatch {
  readonly batch: number;
  readonly expected: number;
  readonly actual: number;
  readonly reason: string;
}

type Members = Readonly<Record<string, unknown>>;
export type Merged = { readonly value: Members } | { readonly mismatch: Mismatch };

/** Puts answers together, or says which does not fit. */
export interface Merge {
  /** What is said of a batch that gave not exactly one answer. */
  readonly countReason: string;
  readonly merge: (answers: readonly BatchAnswer[]) => Merged;
}

/** The lists of numbers, one for each text, one after the other. */
export const mergeTokens: Merge = {
  countReason: 'token_count',
  merge: (answers) => {
    const all = lists(answers, 'num_tokens', 'token_count');
    return 'mismatch' in all ? all : { value: { num_tokens: all.items } };
  },
};

/** Must be the same in every answer; those of `usage` are compared as they are meant, numbers and texts alike. */
const SAME_USAGE = ['unit_price', 'price_unit', 'currency'] as const;

export const mergeEmbeddings: Merge = {
  countReason: 'response_count',
  merge: (answers) => {
    const all = lists(answers, 'embeddings', 'embedding_count');
    if ('mismatch' in all) return all;
    const [first] = all.values;
    if (first === undefined) return { value: {} };
    const usages = all.values.map(({ usage }) => (isObject(usage) ? usage : {}));
    for (const [batch, value] of all.values.entries()) {
      const reason =
        value.model === first.model
          ? SAME_USAGE.find((key) => !isSame(usages[batch]?.[key], usages[0]?.[key]))
          : 'model';
      if (reason === undefined) continue;
      const texts = answers[batch]?.texts ?? 0;
      return { mismatch: { batch, expected: texts, actual: texts, reason } };
    }
    const sum = (key: string): number => usages.reduce((total, usage) => total + Number(usage[key] ?? 0), 0);
    const usage = {
      tokens: sum('tokens'),
      total_tokens: sum('total_tokens'),
      unit_price: decimal(usages[0]?.['unit_price']),
      price_unit: decimal(usages[0]?.['price_unit']),
      total_price: usages.reduce((total, each) => plus(total, decimal(each['total_price'])), '0'),
      currency: usages[0]?.['currency'],
      latency: sum('latency'),
    };
    return { value: { model: first.model, embeddings: all.items, usage } };
  },
};

function lists(
  answers: readonly BatchAnswer[],
  key: string,
  reason: string,
): { readonly items: readonly unknown[]; readonly values: readonly Members[] } | { readonly mismatch: Mismatch } {
  const items: unknown[] = [];
  const values: Members[] = [];
  for (const [batch, { json, texts }] of answers.entries()) {
    const parsed: unknown = parseJson(fromLatin1(json))?.value;
    const value = isObject(parsed) ? parsed : {};
    const list = value[key];
    const actual = Array.isArray(list) ? list.length : 0;
    if (actual !== texts) return { mismatch: { batch, expected: texts, actual, reason } };
    // Not spread into a call: a batch may have hundreds of thousands.
    if (Array.isArray(list)) for (const item of list) items.push(item);
    values.push(value);
  }
  return { items, values };
}

/** In plain notation; what is no number counts as none. */
const decimal = (value: unknown): string => plainDecimal(value) ?? '0';

/** Exact, of two decimals in plain notation. */
function plus(a: string, b: string): string {
  const places = Math.max(placesOf(a), placesOf(b));
  const sum = scaled(a, places) + scaled(b, places);
  const digits = (sum < 0n ? -sum : sum).toString().padStart(places + 1, '0');
  const at = digits.length - places;
  const text = places === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`;
  return plainDecimal(sum < 0n ? `-${text}` : text) ?? '0';
}

const placesOf = (text: string): number => text.split('.')[1]?.length ?? 0;
const scaled = (text: string, places: number): bigint => {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(places, '0'));
};

const isSame = (a: unknown, b: unknown): boolean => {
  const [first, second] = [plainDecimal(a), plainDecimal(b)];
  return a === b || (first !== undefined && first === second);
};
