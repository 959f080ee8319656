import { sign } from 'node:crypto';
import { openArchive, writeZip, type ZipFile } from '../archive/index.ts';
import { assembleDeclaration } from '../declaration/index.ts';
import { parsePrivateKey } from './keys.ts';
import { type AuthorizedCategory, signedData, signedNames, VERIFICATION_FILE } from './verify.ts';

export interface SignOptions {
  /** written into the package; without one no verification file is added */
  readonly category?: AuthorizedCategory | undefined;
  /** Unix seconds, default now */
  readonly time?: number | undefined;
  /** adds a second signature, over the checksum, to the comment: file names are then covered too. Default false */
  readonly coverNames?: boolean | undefined;
}

/**
 * A signed copy of a package: same files in the same order, the verification file last, the signature in the archive
 * comment. An earlier verification file is replaced. @throws PackageError when the package does not open or the key is none
 */
export function signPackage(bytes: Uint8Array, privateKeyPem: string, options: SignOptions = {}): Buffer {
  const key = parsePrivateKey(privateKeyPem);
  const source = openArchive(bytes);
  assembleDeclaration(source);
  const names = source.names.filter((name) => name !== VERIFICATION_FILE);
  const files: ZipFile[] = names.map((name) => ({ name, content: source.read(name) }));
  if (options.category !== undefined) {
    const content = Buffer.from(JSON.stringify({ authorized_category: options.category }));
    files.push({ name: VERIFICATION_FILE, content });
  }
  const time = options.time ?? Math.floor(Date.now() / 1000);
  const unsigned = writeZip(files);
  const archive = openArchive(unsigned);
  const signature = sign('sha256', signedData(archive, time), key).toString('base64');
  if (options.coverNames !== true) return withComment(unsigned, JSON.stringify({ signature, time }));
  // readers that do not know the third key pass over it
  const overNames = sign('sha256', signedNames(archive, time), key).toString('base64');
  return withComment(unsigned, JSON.stringify({ signature, time, names: overNames }));
}

/** The comment ends the archive, and the archive has none yet. */
function withComment(zip: Buffer, comment: string): Buffer {
  const raw = Buffer.from(comment, 'utf8');
  const signed = Buffer.concat([zip, raw]);
  signed.writeUInt16LE(raw.length, zip.length - 2);
  return signed;
}
