/** API keys (http-api §2.1; compared in constant time, quirk 42). */
import { timingSafeEqual } from 'node:crypto';
import { DaemonError } from '../errors/index.ts';

/** A check for one configured key. An empty key admits nobody. */
export function keyCheck(key: string): (given: string | string[] | undefined) => boolean {
  const expected = Buffer.from(key);
  return (given) => {
    if (typeof given !== 'string' || expected.length === 0) return false;
    const bytes = Buffer.from(given);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  };
}

export const unauthorized = (): DaemonError => new DaemonError('unauthorized', 'unauthorized');
