/** `signature verify`: the verdict and, when it is bad, the reason (section 11.3). */
import { resolve } from 'node:path';
import {
  OFFICIAL_PUBLIC_KEY,
  openPackage,
  PackageError,
  parsePublicKey,
  type SignatureVerdict,
  verifySignature,
} from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command-line/types.ts';
import { CliError } from '../errors.ts';
import { packageError, readPackageFile } from '../plugin/source.ts';
import { fingerprint, type KeyFile, loadPublicKey } from './keys.ts';

const REMEDIES: Record<SignatureVerdict['state'], string> = {
  verified: '',
  unsigned: 'sign it with dify signature sign -p <private key>',
  damaged: 'the file was altered or cut off; fetch it again',
  'unknown-key': 'give the public key of its author with -p',
  modified: 'do not trust this file; fetch it again from its author',
};

export async function run({ args, flags, io, cwd }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const keys: KeyFile[] = [];
  for (const name of flags.list('public_key')) keys.push(await loadPublicKey(resolve(cwd, name)));
  const bytes = await readPackageFile(path);
  let verdict: SignatureVerdict;
  try {
    verdict = verifySignature(openPackage(bytes), {
      publicKeys: keys.map((key) => key.pem),
      trustOfficialKey: keys.length === 0,
    });
  } catch (error) {
    if (error instanceof PackageError) throw packageError(error, path);
    throw error;
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
