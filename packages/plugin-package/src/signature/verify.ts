import { createHash, type KeyObject, publicDecrypt, verify } from 'node:crypto';
import type { PackageArchive } from '../archive/index.ts';
import { PackageError, type Problem } from '../errors.ts';
import { OFFICIAL_PUBLIC_KEY, parsePublicKey } from './keys.ts';
import { shadowsModule } from './module-names.ts';

export const VERIFICATION_FILE = '.verification.dify.json';

/** Who vouches for a package; Dify's installation scope knows these names and no others. */
export const AUTHORIZED_CATEGORIES = ['langgenius', 'partner', 'community'] as const;
export type AuthorizedCategory = (typeof AUTHORIZED_CATEGORIES)[number];

export interface Verification {
  readonly authorized_category: AuthorizedCategory;
}

export type SignatureState = 'verified' | 'unsigned' | 'damaged' | 'unknown-key' | 'modified';

/** Whether a package is trusted, and if not, why. */
export interface SignatureVerdict {
  readonly state: SignatureState;
  /** a sentence for people */
  readonly reason: string;
  /** upstream's error text, '' when verified */
  readonly error: string;
  /** Unix seconds at signing, 0 when unsigned; not compared with any clock */
  readonly time: number;
  /** whether it was the official key that verified it */
  readonly official: boolean;
  /** null when not verified, or when the package names no known category */
  readonly verification: Verification | null;
  /** trusted keys that could not be read; the others were used all the same */
  readonly keyProblems: readonly Problem[];
}

export interface VerifyOptions {
  /** PEM texts of RSA public keys */
  readonly publicKeys?: readonly string[] | undefined;
  /** default true: the official key is trusted in addition to `publicKeys` */
  readonly trustOfficialKey?: boolean | undefined;
  /** a key other than the official one may not vouch for `langgenius`; its packages then count as `community` */
  readonly reserveOfficialCategory?: boolean | undefined;
}

/**
 * Judges the signature of a package: content hashes in archive order and the time, signed with RSA PKCS#1 v1.5 and SHA-256
 * (docs/wire/packages.md#signature). File names are covered only where the signer added a second signature. Where not, names that no packer
 * would have written in that order, or that Python imports by itself, were given afterwards: such a package is not verified.
 * @throws PackageError when an entry is damaged
 */
export function verifySignature(archive: PackageArchive, options: VerifyOptions = {}): SignatureVerdict {
  const keyProblems: Problem[] = [];
  const keys = loadKeys(options, keyProblems);
  const judged = (state: SignatureState, reason: string, error: string, time = 0): SignatureVerdict => {
    return { state, reason, error, time, official: false, verification: null, keyProblems };
  };
  if (archive.comment === '') {
    return judged('unsigned', 'the package carries no signature', 'unexpected end of JSON input');
  }
  const signed = readComment(archive.comment);
  if (signed === null) {
    return judged('damaged', 'the signature in the archive comment is unreadable', 'invalid signature comment');
  }
  const data = signedData(archive, signed.time);
  const key = keys.find((one) => verify('sha256', data, one.key, signed.signature));
  if (key === undefined) {
    const known = keys.some((one) => madeByKey(one.key, signed.signature, data));
    return known
      ? judged(
          'modified',
          'a file was changed, added or removed after signing',
          'crypto/rsa: verification error',
          signed.time,
        )
      : judged(
          'unknown-key',
          'the package is signed with a key that is not trusted here',
          'crypto/rsa: verification error',
          signed.time,
        );
  }
  if (signed.names !== null && !verify('sha256', signedNames(archive, signed.time), key.key, signed.names)) {
    return judged('modified', 'files were renamed after signing', 'crypto/rsa: verification error', signed.time);
  }
  if (signed.names === null) {
    const odd = renamedFile(archive.names);
    if (odd !== null) {
      return judged(
        'modified',
        `the signature does not cover names, and ${odd}: files may have been renamed after signing`,
        'crypto/rsa: verification error',
        signed.time,
      );
    }
  }
  const category = readCategory(archive);
  if (category === 'damaged') {
    return judged('damaged', `${VERIFICATION_FILE} is not valid JSON`, 'invalid verification file', signed.time);
  }
  const reserved = options.reserveOfficialCategory === true && !key.official && category === 'langgenius';
  const counted = reserved ? 'community' : category;
  return {
    state: 'verified',
    reason: key.official ? 'signed with the official key' : 'signed with a trusted third-party key',
    error: '',
    time: signed.time,
    official: key.official,
    verification: counted === null ? null : { authorized_category: counted },
    keyProblems,
  };
}

/** What is signed: SHA-256 of every file in archive order, then the time as decimal text. */
export function signedData(archive: PackageArchive, time: number): Buffer {
  return Buffer.concat([...archive.contentHashes(), Buffer.from(String(time))]);
}

/** What the additional signature covers: the checksum, which is over names and contents, then the time as decimal text. */
export function signedNames(archive: PackageArchive, time: number): Buffer {
  return Buffer.from(`${archive.checksum()}${time}`);
}

interface TrustedKey {
  readonly key: KeyObject;
  readonly official: boolean;
}

function loadKeys(options: VerifyOptions, problems: Problem[]): TrustedKey[] {
  const keys: TrustedKey[] = [];
  if (options.trustOfficialKey ?? true) keys.push({ key: parsePublicKey(OFFICIAL_PUBLIC_KEY), official: true });
  for (const [i, pem] of (options.publicKeys ?? []).entries()) {
    try {
      keys.push({ key: parsePublicKey(pem), official: false });
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      problems.push({ message: `public key ${i + 1} cannot be used: ${error.message}` });
    }
  }
  return keys;
}

interface SignatureComment {
  readonly signature: Buffer;
  readonly time: number;
  /** over the checksum; null in packages signed by tools that do not know it */
  readonly names: Buffer | null;
}

function readComment(comment: string): SignatureComment | null {
  let json: unknown;
  try {
    json = JSON.parse(comment);
  } catch {
    return null;
  }
  if (typeof json !== 'object' || json === null) return null;
  const { signature, time, names }: Record<string, unknown> = { signature: null, time: 0, names: null, ...json };
  if (typeof signature !== 'string' || typeof time !== 'number' || !Number.isSafeInteger(time)) return null;
  const content = decodeBase64(signature);
  if (content === null) return null;
  return {
    signature: content,
    time,
    names: typeof names === 'string' ? (decodeBase64(names) ?? Buffer.alloc(0)) : null,
  };
}

/** Strict base64; line breaks inside do not matter. */
function decodeBase64(text: string): Buffer | null {
  const base64 = text.replace(/[\r\n]/g, '');
  const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64);
  return valid ? Buffer.from(base64, 'base64') : null;
}

/** Whether a signature was made with a key, whatever it signs: it then decrypts to a well-formed SHA-256 digest. */
function madeByKey(key: KeyObject, signature: Buffer, data: Buffer): boolean {
  try {
    const digestInfo = publicDecrypt(key, signature);
    return digestInfo.length === 51 && !digestInfo.subarray(19).equals(createHash('sha256').update(data).digest());
  } catch {
    // wrong padding: another key's signature
    return false;
  }
}

/** null: no category that Dify knows. */
function readCategory(archive: PackageArchive): AuthorizedCategory | null | 'damaged' {
  // packages from before there were categories, all signed by the marketplace
  if (!archive.has(VERIFICATION_FILE)) return 'langgenius';
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(archive.read(VERIFICATION_FILE)).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return 'damaged';
    throw error;
  }
  const written =
    typeof json === 'object' && json !== null && 'authorized_category' in json ? json.authorized_category : '';
  return AUTHORIZED_CATEGORIES.find((category) => category === String(written).toLowerCase()) ?? null;
}

/** What shows that a name was changed; null when nothing does. */
function renamedFile(names: readonly string[]): string | null {
  const taken = names.find(shadowsModule);
  if (taken !== undefined) return `${taken} would be imported in place of a module of Python or the SDK`;
  return isPackersOrder(names) ? null : 'the files are not in the order any packer writes';
}

/** Ascending by name, as packages are written today, or directory by directory, as they once were. */
function isPackersOrder(names: readonly string[]): boolean {
  const files = names.filter((name) => name !== VERIFICATION_FILE);
  return (
    isAscending(files, (name) => Buffer.from(name)) ||
    isAscending(files, (name) => Buffer.from(name.replaceAll('/', '\0')))
  );
}

function isAscending(names: readonly string[], key: (name: string) => Buffer): boolean {
  let previous: Buffer = Buffer.alloc(0);
  for (const name of names) {
    const current = key(name);
    if (Buffer.compare(previous, current) > 0) return false;
    previous = current;
  }
  return true;
}
