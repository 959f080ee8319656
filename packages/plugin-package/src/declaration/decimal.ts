import Big from 'big.js';
import { PackageError } from '../errors.ts';

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
/** plain notation of larger exponents would be kilobytes of zeros */
const MAX_EXPONENT = 1000;

/** A decimal in plain notation without trailing zeros. @throws PackageError */
export function plainDecimal(text: string): string {
  // Looked at first: on longer texts the patterns would take quadratic time.
  if (text.length > MAX_EXPONENT) throw notConvertible(`${text.slice(0, 256)}…`, '');
  const exponent = /[eE]([+-]?\d+)$/.exec(text)?.[1] ?? '0';
  if (!DECIMAL.test(text) || Math.abs(Number(exponent)) > MAX_EXPONENT) {
    const detail = /[eE](?![+-]?\d+$)/.test(text) ? ': exponent is not numeric' : '';
    throw notConvertible(text === '' ? '""' : text, detail);
  }
  const value = new Big(text);
  return value.eq(0) ? '0' : value.toFixed();
}

const notConvertible = (shown: string, detail: string): PackageError =>
  new PackageError(`error decoding string '${shown}': can't convert ${shown} to decimal${detail}`);
