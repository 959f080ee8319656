import { createHash } from 'node:crypto';

/**
 * The one name of what is installed under an interpreter: of stored environments by their files, of seeds by their distributions.
 * Whoever has the same name can be put in the other's place.
 * @param interpreter its path, with its version where that is known
 * @param content a line for each part; their order does not matter
 */
export function fingerprint(interpreter: string, content: Iterable<string>): string {
  return createHash('sha256')
    .update([interpreter, ...[...content].sort()].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

export const isFingerprint = (text: string): boolean => /^[0-9a-f]{32}$/.test(text);
