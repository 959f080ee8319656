/** `signature verify`: the verdict and, when it is bad, the reason (docs/wire/cli.md#signature). */
import { resolve } from 'node:path';
import {
  OFFICIAL_PUBLIC_KEY,
  openPackage,
  type PackageArchive,
  PackageError,
  parsePublicKey,
  type SignatureVerdict,
  VERIFICATION_FILE,
  verifySignature,
} from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command.ts';
import { CliError } from '../errors.ts';
import { packageError, readPackageFile } from '../source/source.ts';
import { fingerprint, type KeyFile, loadPublicKey } from './keys.ts';

const REMEDIES: Record<SignatureVerdict['state'], string> = {
  verified: '',
  unsigned: 'sign it with dify signature sign -p <private key>',
  damaged: 'the file was altered or cut off; fetch it again',
  'unknown-key': 'give the public key of its author with -p',
  modified: 'do not trust this file; fetch it again from its author',
};

/** Whether the signature covers file names; packages of older tools are signed over contents alone. */
function coversNames(archive: PackageArchive): boolean {
  const comment: unknown = JSON.parse(archive.comment);
  return typeof comment === 'object' && comment !== null && 'names' in comment;
}

/** Packers write entries in byte order of their names, or once did folder by folder; the verification file comes last. */
function isPackersOrder(names: readonly string[]): boolean {
  const files = names.filter((name) => name !== VERIFICATION_FILE);
  const ascending = (key: (name: string) => Buffer): boolean =>
    files.every((name, index) => index === 0 || Buffer.compare(key(files[index - 1] ?? ''), key(name)) <= 0);
  return ascending((name) => Buffer.from(name)) || ascending((name) => Buffer.from(name.replaceAll('/', '\0')));
}

export async function run({ args, flags, io, cwd }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const keys: KeyFile[] = [];
  for (const name of flags.list('public_key')) keys.push(await loadPublicKey(resolve(cwd, name)));
  const bytes = await readPackageFile(path);
  let verdict: SignatureVerdict;
  let archive: PackageArchive;
  try {
    archive = openPackage(bytes);
    verdict = verifySignature(archive, {
      publicKeys: keys.map((key) => key.pem),
      trustOfficialKey: keys.length === 0,
    });
  } catch (error) {
    if (error instanceof PackageError) throw packageError(error, path);
    throw error;
  }
  if (verdict.state === 'verified' && !coversNames(archive) && !isPackersOrder(archive.names)) {
    verdict = {
      ...verdict,
      state: 'modified',
      reason: 'its files are not in the order any packer writes: some were renamed after signing',
      error: 'entries out of order',
    };
  }
  const tried =
    keys.length === 0
      ? [`official ${fingerprint(parsePublicKey(OFFICIAL_PUBLIC_KEY))}`]
      : keys.map((key) => `${key.path} ${key.fingerprint}`);
  if (verdict.state !== 'verified') {
    const whose = keys.length === 0 ? 'official' : 'provided';
    throw new CliError(verdict.state, `failed to verify plugin with ${whose} public key: ${verdict.reason}`, {
      file: path,
      remedy: REMEDIES[verdict.state],
      fields: { error: verdict.error, keys: tried.join(', ') },
    });
  }
  const category = verdict.verification?.authorized_category ?? null;
  const signedAt = new Date(verdict.time * 1000).toISOString();
  io.info('plugin verified successfully', { category: category ?? 'none', signed_at: signedAt });
  return {
    text: `verified: ${verdict.reason}${category === null ? '' : `, category ${category}`}, signed at ${signedAt}`,
    data: {
      verified: true,
      authorized_category: category,
      time: verdict.time,
      official: verdict.official,
      keys: tried,
    },
  };
}
