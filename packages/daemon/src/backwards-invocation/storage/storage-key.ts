/** Which keys plugins may use, and where their objects stand (docs/wire/state.md#object-keys). */
import { posix } from 'node:path';

/** The key, or the place it leads to, is not acceptable. The texts are upstream's where it has one. */
export class StorageKeyError extends Error {
  override readonly name = 'StorageKeyError';
}

export const MAX_KEY_BYTES = 256;

export interface StorageNamespace {
  readonly tenantId: string;
  /** `author/name`: all versions of a plugin share their storage. */
  readonly pluginId: string;
}

/**
 * The object's path below the persistence prefix. Different spellings of a key (`a`, `./a`, `/a`) are one object.
 * @throws StorageKeyError
 */
export function objectPath({ tenantId, pluginId }: StorageNamespace, key: string): string {
  const clean = cleanKey(key);
  const place = `${tenantId}/${pluginId}`;
  // Both come from the session, yet a namespace that leads elsewhere must never be written to.
  if (tenantId === '' || pluginId === '' || tenantId.includes('/') || place.includes('\\') || !isPlain(place)) {
    throw new StorageKeyError('invalid namespace: tenant or plugin id is not usable as a path');
  }
  return `${place}/${clean}`;
}

function cleanKey(key: string): string {
  const clean = posix.normalize(`/${key}`).slice(1);
  // Climbing above the root is refused although normalising stops there.
  if (key.includes('..') && posix.normalize(key).includes('..')) throw traversal();
  if (clean.includes('..') || clean.includes('//') || clean.includes('\\')) throw traversal();
  if (clean === '' || clean.endsWith('/')) throw new StorageKeyError('invalid key: it must name an object');
  if (clean.includes('\0')) throw new StorageKeyError('invalid key: it contains a zero byte');
  return clean;
}

const isPlain = (path: string): boolean => posix.normalize(path) === path && !path.startsWith('..');

const traversal = (): StorageKeyError => new StorageKeyError('invalid key: path traversal attempt detected');
