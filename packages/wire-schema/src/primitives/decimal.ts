/** Decimals in plain notation: no exponent, no trailing zeros, exact (docs/wire/http-api.md#models). */

import { valueText } from './value-text.ts';

/** Longer texts are no prices, and would take longer than they are worth; larger exponents would be kilobytes of zeros. */
const MAX_LENGTH = 1000;
const MAX_EXPONENT = 1000;
const MAX_SHOWN = 256;

/** A number or a decimal text as plain text; undefined if it is neither. */
export function plainDecimal(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  if (typeof value === 'string' && value.length > MAX_LENGTH) return undefined;
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(String(value));
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  if (whole === '' && fraction === '') return undefined;
  const digits = whole + fraction;
  if (Math.abs(Number(exponent)) > MAX_EXPONENT) return undefined;
  const point = whole.length + Number(exponent);
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const rest = withoutTrailingZeros(padded.slice(at));
  const text = rest === '' ? integer : `${integer}.${rest}`;
  return sign === '-' && /[1-9]/.test(text) ? `-${text}` : text;
}

/** Looking from the front for the zeros at the end takes quadratic time. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end--;
  return digits.slice(0, end);
}

/** The value as JSON, texts without their quotes; cut where it is long. */
function shown(value: unknown): string {
  const text = typeof value === 'string' && value !== '' ? value : jsonOf(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    // Nested too deeply to be written.
    return valueText(value);
  }
}

/** What is wrong with a value that is no decimal, in the words that plugin authors know (docs/wire/http-api.md#plugin-errors). */
export function decimalProblem(value: unknown): string {
  const text = shown(value);
  const [, head = text, exponent] = /^([^eE]*)[eE](.*)$/s.exec(text) ?? [];
  const said = `error decoding string '${text}': can't convert`;
  if (exponent !== undefined && !/^[+-]?\d+$/.test(exponent))
    return `${said} ${text} to decimal: exponent is not numeric`;
  if (Math.abs(Number(exponent ?? 0)) > MAX_EXPONENT) return `${said} ${text} to decimal`;
  return `${said} ${head} to decimal${head.split('.').length > 2 ? ': too many .s' : ''}`;
}
