import { hash } from 'node:crypto';
import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { LRUCache } from 'lru-cache';

const known = new LRUCache<string, string>(countedUpTo(10_000));
/** 66 bits: enough for plugins, and short enough to be told of hundreds. */
const DIGITS = 11;
const FINGERPRINT = /^[\w-]{11}$/;

/** The parts in which fingerprints are told: by their first character. */
export const entryParts = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export const partOf = (print: string): string => print.charAt(0);
export const isFingerprint = (text: string): boolean => FINGERPRINT.test(text);

/** What stands for a plugin unique identifier where nodes tell each other what they run. */
export function fingerprint(identifier: string): string {
  const found = known.get(identifier);
  if (found !== undefined) return found;
  const made = hash('sha256', identifier, 'base64url').slice(0, DIGITS);
  known.set(identifier, made);
  return made;
}
