/** `signature sign`: a signed copy beside the package, which itself stays as it is (docs/wire/cli.md#signature). */
import { dirname, extname, join, parse, resolve } from 'node:path';
import {
  AUTHORIZED_CATEGORIES,
  OFFICIAL_PUBLIC_KEY,
  openPackage,
  PackageError,
  parsePublicKey,
  signPackage,
  VERIFICATION_FILE,
} from '@plugin-daemon/plugin-package';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, throwIfAborted } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { packageError, readPackageFile } from '../source/source.ts';
import { fingerprint, loadPrivateKey } from './keys.ts';

export function parseCategory(text: string): (typeof AUTHORIZED_CATEGORIES)[number] {
  const found = AUTHORIZED_CATEGORIES.find((category) => category === text.trim().toLowerCase());
  if (found === undefined)
    throw new CliError('invalid-category', 'invalid authorized category', {
      remedy: `choose one of ${AUTHORIZED_CATEGORIES.join(', ')}`,
    });
  return found;
}

/** @throws CliError for a package that does not open or a key that is none */
export function signBytes(bytes: Uint8Array, pem: string, category: string): Uint8Array {
  try {
    return signPackage(bytes, pem, { category: parseCategory(category), coverNames: true });
  } catch (error) {
    if (error instanceof PackageError) throw packageError(error, 'the package');
    throw error;
  }
}

export async function run({ args, flags, io, cwd, signal }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const category = parseCategory(flags.text('authorized_category') ?? 'langgenius');
  const key = await loadPrivateKey(resolve(cwd, flags.text('private_key') ?? ''));
  const bytes = await readPackageFile(path);
  const { name } = parse(path);
  const output = flags.text('output_path') ?? join(dirname(path), `${name}.signed${extname(path)}`);
  if (resolve(cwd, output) === resolve(cwd, path))
    throw new CliError('same-file', 'the signed package would replace the unsigned one', {
      exit: EXIT.usage,
      remedy: 'choose another output with -o',
    });
  let resigned = false;
  try {
    resigned = openPackage(bytes).has(VERIFICATION_FILE);
  } catch (error) {
    throw packageError(error, path);
  }
  if (resigned) io.warn('the package was signed already; its old signature is replaced', { path });
  if (category === 'langgenius' && key.fingerprint !== fingerprint(parsePublicKey(OFFICIAL_PUBLIC_KEY))) {
    io.warn(
      'the category langgenius is claimed with a key of your own; packages of third parties are "community" or "partner" (-c)',
    );
  }
  const signed = signBytes(bytes, key.pem, category);
  throwIfAborted(signal);
  await writeFileAtomic(resolve(cwd, output), signed);
  io.info('plugin signed successfully', { output_path: output });
  return {
    text: output,
    data: { output_path: output, authorized_category: category, key_fingerprint: key.fingerprint },
  };
}
