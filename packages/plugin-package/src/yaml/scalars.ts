import { exactInteger } from '../exact-integer.ts';
import type { Json } from '../json.ts';
import { plainTimestamp } from './timestamp.ts';
import type { YamlNode, YamlScalar } from './tree.ts';

/** What a plain scalar means to a field without a type, and how it is called in messages. */
export type Resolved =
  | { readonly tag: '!!null' }
  | { readonly tag: '!!bool'; readonly value: boolean }
  | { readonly tag: '!!int'; readonly value: bigint }
  | { readonly tag: '!!float'; readonly value: number }
  | { readonly tag: '!!timestamp'; readonly value: string }
  | { readonly tag: '!!merge' }
  | { readonly tag: '!!str'; readonly value: string };

const WORDS = new Map<string, Resolved>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { tag: '!!null' }] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, { tag: '!!bool', value: true }] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, { tag: '!!bool', value: false }] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, { tag: '!!float', value: Number.NaN }] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map(
    (word) => [word, { tag: '!!float', value: Number.POSITIVE_INFINITY }] as const,
  ),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, { tag: '!!float', value: Number.NEGATIVE_INFINITY }] as const),
  ['<<', { tag: '!!merge' }],
]);

const YES = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON']);
const NO = new Set(['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF']);

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
/** longer digit strings are out of range anyway, and BigInt takes quadratic time on them */
const MAX_DIGITS = 80;

export function resolve(node: YamlScalar): Resolved {
  const { text } = node;
  const tag = shortTag(node.tag);
  if (tag === '!!str' || tag === '!!binary') return { tag: '!!str', value: text };
  if (!node.plain && !['!!int', '!!float', '!!bool', '!!null', '!!timestamp'].includes(tag)) {
    return { tag: '!!str', value: text };
  }
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  // digits, signs and the dot
  if ((first < 48 || first > 57) && first !== 43 && first !== 45 && first !== 46) return { tag: '!!str', value: text };
  return resolveNumber(text) ?? { tag: '!!str', value: text };
}

function resolveNumber(text: string): Resolved | null {
  const time = plainTimestamp(text);
  if (time !== null) return { tag: '!!timestamp', value: time };
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  if (INTEGER.test(digits) && digits.length <= MAX_DIGITS) {
    const value = toBigInt(digits);
    if (value >= MIN_INT64 && value <= MAX_UINT64) return { tag: '!!int', value };
  }
  if (FLOAT.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return { tag: '!!float', value };
  }
  return null;
}

function toBigInt(digits: string): bigint {
  const negative = digits.startsWith('-');
  const magnitude = digits.replace(/^[-+]/, '');
  const value = /^0[0-7]+$/.test(magnitude) ? BigInt(`0o${magnitude.slice(1)}`) : BigInt(magnitude.toLowerCase());
  return negative ? -value : value;
}

/** A boolean field also takes the older spellings, quoted ones included; null when the scalar is none. */
export function toBoolean(resolved: Resolved): boolean | null {
  if (resolved.tag === '!!bool') return resolved.value;
  if (resolved.tag !== '!!str') return null;
  if (YES.has(resolved.value)) return true;
  return NO.has(resolved.value) ? false : null;
}

/** An integer field takes floats too, cut at the point. */
export function toInteger(resolved: Resolved, min: bigint, max: bigint): Json | null {
  if (resolved.tag === '!!float') {
    if (!Number.isFinite(resolved.value)) return null;
    const cut = BigInt(Math.trunc(resolved.value));
    return cut >= min && cut <= max ? exactInteger(cut) : null;
  }
  if (resolved.tag !== '!!int') return null;
  return resolved.value >= min && resolved.value <= max ? exactInteger(resolved.value) : null;
}

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);

export function isNull(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  // asked of every node: not worth resolving the scalar, except where a tag has a say
  return node.tag === '' ? node.plain && NULLS.has(node.text) : resolve(node).tag === '!!null';
}

export function isMerge(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.plain && node.text === '<<' && node.tag === '';
}

/** The tag a node goes by in messages. */
export function tagOf(node: YamlNode): string {
  if (node.kind === 'mapping') return '!!map';
  return node.kind === 'sequence' ? '!!seq' : resolve(node).tag;
}

function shortTag(tag: string): string {
  return tag.startsWith('tag:yaml.org,2002:') ? `!!${tag.slice('tag:yaml.org,2002:'.length)}` : tag;
}
