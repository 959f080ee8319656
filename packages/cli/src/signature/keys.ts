/** Key files: reading them with an error that says which file is wrong and how; short fingerprints to compare by eye. */

import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { PackageError, parsePrivateKey, parsePublicKey } from '@plugin-daemon/plugin-package';
import { CliError, systemCode } from '../errors.ts';
import { readNamedFile } from '../files/read.ts';

/** The text of a key file that was found to hold a usable key. */
export interface KeyFile {
  path: string;
  pem: string;
  fingerprint: string;
}

/** The first 16 hex digits of SHA-256 over the public key. */
export function fingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key.export({ type: 'pkcs1', format: 'pem' })) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

async function load(path: string, kind: 'private' | 'public'): Promise<KeyFile> {
  let pem: string;
  try {
    pem = (await readNamedFile(path)).toString('utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    const code = systemCode(error);
    const what =
      code === 'ENOENT'
        ? 'no such file'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'is a folder'
            : String(error);
    throw new CliError('unreadable', `${path}: ${what}`, { file: path, cause: error });
  }
  try {
    const key = kind === 'private' ? parsePrivateKey(pem) : parsePublicKey(pem);
    return { path, pem, fingerprint: fingerprint(key) };
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const other = kind === 'private' ? 'PUBLIC KEY' : 'PRIVATE KEY';
    const swapped = pem.includes(other) && !pem.includes(kind === 'private' ? 'PRIVATE KEY' : 'PUBLIC KEY');
    const remedy = !swapped
      ? 'expected a PEM file as dify signature generate writes it'
      : kind === 'private'
        ? 'this is the public key: signing needs the .private.pem file'
        : 'this is the private key: give the .public.pem file, and keep this one to yourself';
    throw new CliError('bad-key', `${path}: ${error.message}`, { file: path, remedy, cause: error });
  }
}

export function loadPrivateKey(path: string): Promise<KeyFile> {
  return load(path, 'private');
}

export function loadPublicKey(path: string): Promise<KeyFile> {
  return load(path, 'public');
}
