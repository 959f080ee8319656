/** `signature generate`: an RSA pair of 4096 bits in PKCS#1, the private half for the owner's eyes only (docs/wire/cli.md#signature). */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { generateKeyPair, parsePublicKey } from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command.ts';
import { CliError, throwIfAborted } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { fingerprint } from './keys.ts';

const DEFAULT_NAME = 'dify_plugin_signing_key';

export async function run({ flags, io, cwd, signal }: Call): Promise<Outcome> {
  const base = flags.text('filename') || DEFAULT_NAME;
  const names = { private_key: `${base}.private.pem`, public_key: `${base}.public.pem` };
  const taken = Object.values(names).find((name) => existsSync(resolve(cwd, name)));
  if (taken !== undefined && !flags.on('force')) {
    throw new CliError('exists', `${taken} exists already`, {
      file: taken,
      remedy:
        'choose another name with -f. --force replaces the keys: packages signed with the old ones can then no longer be checked with the new public key',
    });
  }
  const pair = generateKeyPair();
  throwIfAborted(signal);
  const privatePath = resolve(cwd, names.private_key);
  await writeFileAtomic(privatePath, pair.privateKey, { mode: 0o600 });
  try {
    await writeFileAtomic(resolve(cwd, names.public_key), pair.publicKey, { mode: 0o644 });
  } catch (error) {
    if (taken === undefined) await rm(privatePath, { force: true });
    throw error;
  }
  io.info('key pair generated successfully', names);
  return {
    text: `${names.private_key}\n${names.public_key}`,
    data: { ...names, fingerprint: fingerprint(parsePublicKey(pair.publicKey)) },
  };
}
