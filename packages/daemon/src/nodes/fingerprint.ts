import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const known = new LRUCache<string, string>({ max: 10_000 });
/** 64 bits: enough for plugins, and short enough to be told of hundreds. */
const DIGITS = 16;

/** What stands for a plugin unique identifier where nodes tell each other what they run. */
export function fingerprint(identifier: string): string {
  const found = known.get(identifier);
  if (found !== undefined) return found;
  const made = hash('sha256', identifier).slice(0, DIGITS);
  known.set(identifier, made);
  return made;
}
