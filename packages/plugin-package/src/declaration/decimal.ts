import Big from 'big.js';
import { PackageError } from '../errors.ts';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** plain notation of larger exponents would be kilobytes of zeros */
const MAX_EXPONENT = 1000;

/** A decimal in plain notation without trailing zeros. @throws PackageError */
export function plainDecimal(text: string): string {
  const exponent = /[eE]([+-]?\d+)$/.exec(text)?.[1] ?? '0';
  if (!DECIMAL.test(text) || text.length > MAX_EXPONENT || Math.abs(Number(exponent)) > MAX_EXPONENT) {
    const detail = /[eE](?![+-]?\d+$)/.test(text) ? ': exponent is not numeric' : '';
    const shown = text === '' ? '""' : text;
    throw new PackageError(`error decoding string '${shown}': can't convert ${shown} to decimal${detail}`);
  }
  const value = new Big(text);
  return value.eq(0) ? '0' : value.toFixed();
}
