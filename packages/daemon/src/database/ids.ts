import { randomInt } from 'node:crypto';
import { v5, v7 } from 'uuid';

/** A fresh row id: lower-case UUID v7, ascending within one process. */
export const newId = (): string => v7();

const derivedIds = 'b5a8f0d2-5a0c-4e6e-9a36-6f3f2f0f7a51';

/**
 * The id of a row there should be only one of, where the table has no unique key for it: two who make it at once make the same.
 * @param parts what there should be only one row for, beginning with the name of the table
 */
export const derivedId = (...parts: readonly string[]): string => v5(JSON.stringify(parts), derivedIds);

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A fresh hook id: 16 characters of `a-z0-9`, not to be guessed (it is all that protects a webhook). */
export function newHookId(): string {
  return Array.from({ length: 16 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
