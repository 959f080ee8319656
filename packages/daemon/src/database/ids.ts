import { randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** A fresh row id: lower-case UUID v7, ascending within one process. */
export const newId = (): string => v7();

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A fresh hook id: 16 characters of `a-z0-9`, not to be guessed (it is all that protects a webhook). */
export function newHookId(): string {
  return Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
