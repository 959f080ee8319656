import { decimalProblem, plainDecimal as plain } from '@plugin-daemon/wire-schema';
import { PackageError } from '../errors.ts';

/** A decimal in plain notation without trailing zeros. @throws PackageError */
export function plainDecimal(text: string): string {
  const value = plain(text);
  if (value === undefined) throw new PackageError(decimalProblem(text));
  return value;
}
