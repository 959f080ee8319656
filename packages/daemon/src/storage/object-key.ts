import { posix } from 'node:path';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/**
 * Joins a configured prefix and the parts of a key the way existing objects were named: cleaned, so that `./plugin` and
 * `plugin` are the same. `..` in a part is refused, not resolved: no plugin may climb out of its own place.
 */
export function objectKey(...parts: readonly string[]): string {
  for (const part of parts) if (part.split('/').includes('..')) throw malformed(part);
  return checkedKey(posix.join(...parts).replace(/^\/+/, ''));
}

/** The key itself, if every backend can hold it: no empty, `.` or `..` segment, no backslash, no control character. */
export function checkedKey(key: string): string {
  const bad = key.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (bad || /[\\\u0000-\u001f]/.test(key)) throw malformed(key);
  return key;
}

function malformed(key: string): DaemonError {
  return new DaemonError('bad-request', `invalid storage key ${JSON.stringify(key.slice(0, 300))}`, {
    remedy: 'a key consists of names separated by single slashes, without . and .., backslashes and control characters',
  });
}
