import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import { mayBeName, namesRemedy } from './names.ts';

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** No such file; a directory, or something below a file, is no object either. A name too long was never written. */
const absent: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG']);

export function isAbsence(error: unknown): boolean {
  return absent.has(codeOf(error) ?? '');
}

const permission = 'let the user of the daemon read and write below PLUGIN_STORAGE_LOCAL_ROOT';
const space = 'free space on the file system of PLUGIN_STORAGE_LOCAL_ROOT, then try again; nothing was changed';
const conflict =
  'another object has a key that is the beginning of this one, or the other way round; choose another key';

const known: ReadonlyMap<string, { readonly problem: string; readonly remedy: string }> = new Map([
  ['ENOSPC', { problem: 'the file system is full', remedy: space }],
  ['EDQUOT', { problem: 'the disk quota is used up', remedy: space }],
  ['EACCES', { problem: 'permission denied', remedy: permission }],
  ['EPERM', { problem: 'operation not permitted', remedy: permission }],
  ['EROFS', { problem: 'the file system is read-only', remedy: permission }],
  ['EMFILE', { problem: 'too many open files', remedy: 'raise the limit of open files (ulimit -n) for the daemon' }],
  ['ENAMETOOLONG', { problem: 'a name in the key is too long', remedy: 'file systems allow 255 bytes for each name' }],
  ['EISDIR', { problem: 'a directory is in the way', remedy: conflict }],
  ['ENOTEMPTY', { problem: 'a directory is in the way', remedy: conflict }],
  ['ENOTDIR', { problem: 'a file is in the way', remedy: conflict }],
  ['EEXIST', { problem: 'a file is in the way', remedy: conflict }],
]);

/** A failure of the file system as an error that names operation, key, cause and remedy. */
export function storageError(verb: string, key: string, cause: unknown): DaemonError {
  if (cause instanceof DaemonError) return cause;
  const code = codeOf(cause);
  const entry = mayBeName(code, key)
    ? { problem: 'the file system does not take a name of the key', remedy: namesRemedy }
    : known.get(code ?? '');
  const text = messageOf(cause);
  const message = `cannot ${verb} ${key} in the local storage: ${entry?.problem ?? text}`;
  return new DaemonError('internal', message, { cause, ...(entry === undefined ? {} : { remedy: entry.remedy }) });
}
