/**
 * What is done with the bytes of a package away from the event loop: decoding, checking, reading one file of it.
 * Plain functions over values that can cross a thread boundary; failures are values too, so that nothing of an error is
 * lost on the way. Source: docs/wire/lifecycle.md#upload and docs/wire/packages.md#identifier.
 */
import {
  type DecodedPackage,
  type DecodeOptions,
  decodePackage,
  explainFile,
  openStoredPackage,
  PackageError,
  presentDeclaration,
  readAsset,
  readReadmes,
  remapAssets,
  stringifyDeclaration,
  type Verification,
} from '@plugin-daemon/plugin-package';

/** Who is trusted and how large a package may be. */
export interface PackageRules {
  /** Bytes of all files of one package together, unpacked. */
  readonly maxUnpackedBytes: number;
  /** PEM texts of the trusted keys beside the official one. */
  readonly publicKeys: readonly string[];
  /** Configured keys that cannot be used, for whoever misses one of them. */
  readonly unusableKeys: number;
}

export interface IntakeRules extends PackageRules {
  readonly requireVerified: boolean;
  /** Author `langgenius` needs that category. */
  readonly protectLanggenius: boolean;
  /** Bytes of all files of one bundle together, its packages as they are. */
  readonly maxBundleBytes: number;
}

/** A package that passed every check and may be stored. */
export interface PreparedPackage {
  readonly identifier: string;
  readonly pluginId: string;
  /** The declaration as it is stored: JSON text, icons replaced by asset ids. */
  readonly declaration: string;
  /** The declaration as clients get it: JSON text. */
  readonly manifest: string;
  /** The same with the icon paths as written. */
  readonly described: string;
  readonly verification: Verification | null;
  readonly assets: readonly { readonly id: string; readonly content: Uint8Array<ArrayBuffer> }[];
  /** The package itself. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the field rules would object to, for the log. */
  readonly warnings: readonly string[];
}

/** A package decoded once more: its declaration with the icon paths as written. */
export interface PackageDescription {
  readonly manifest: string;
  readonly verification: Verification | null;
}

/** Why bytes were refused. `message` is what the client sees. */
export interface Refusal {
  readonly refused: string;
  /** More for the log than the client may see. */
  readonly detail?: string;
  /** What to do about it, for the client. */
  readonly remedy?: string;
  /** Upstream answers -500 instead of -400. */
  readonly internal?: true;
  /** A stored package is not what was stored: true as long as the store gives this. */
  readonly damaged?: true;
}

export type Checked<T> = T | Refusal;

export const isRefusal = <T extends object>(value: Checked<T>): value is Refusal => 'refused' in value;

const badSignature = 'plugin verification has been enabled, and the plugin you want to install has a bad signature';
/** Dify shows this text as it is; the blanks are part of it (docs/wire/packages.md#verification). */
const claimsLanggenius =
  '\n\t\tplugin installation blocked: this plugin claims to be from Langgenius but lacks official signature verification. ' +
  '\n\t\tSet ENFORCE_LANGGENIUS_PLUGIN_SIGNATURES=false to allow installation (not recommended)';

/** Which of the reasons it is that a package does not count as verified: each has a remedy of its own. */
function unverified({ signature }: DecodedPackage, rules: IntakeRules): Refusal {
  const because = (cause: string, remedy: string): Refusal => ({ refused: `${badSignature}: ${cause}`, remedy });
  const trustKey =
    'name its public key in THIRD_PARTY_SIGNATURE_VERIFICATION_PUBLIC_KEYS, with THIRD_PARTY_SIGNATURE_VERIFICATION_ENABLED=true';
  const goWithout = 'or start the daemon with FORCE_VERIFYING_SIGNATURE=false';
  switch (signature.state) {
    case 'unsigned':
      return because(
        'it is not signed',
        `Sign it (dify signature sign) with a key that is trusted here: ${trustKey}; ${goWithout}`,
      );
    case 'unknown-key': {
      const only = rules.publicKeys.length === 0 ? 'only the official key is, as third parties are not verified' : '';
      const trusted = only === '' ? `the official key and ${rules.publicKeys.length} more are` : only;
      const unusable = `${rules.unusableKeys} of the configured keys cannot be used, and the log names the files`;
      return because(
        `it is signed with a key that is not trusted here (${trusted}${rules.unusableKeys > 0 ? `; ${unusable}` : ''})`,
        `To trust that key, ${trustKey}; ${goWithout}`,
      );
    }
    default:
      return because(
        `it was changed after it was signed (${signature.reason})`,
        'Fetch it again from its author; do not trust this file',
      );
  }
}

/** Runs a step; what the package format refuses becomes a value. */
export function refusing<T>(step: () => T): Checked<T> {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    const at = [error.file, error.line, error.column].filter((part) => part !== undefined).join(':');
    return {
      refused: error.message,
      ...(at !== '' && { detail: at }),
      ...(error.remedy !== undefined && { remedy: error.remedy }),
      ...(error.detail?.tag === 'damaged' && { damaged: true }),
    };
  }
}

/** Decodes, checks and remaps a package that was uploaded alone. */
export function prepareUpload(bytes: Uint8Array<ArrayBuffer>, rules: IntakeRules): Checked<PreparedPackage> {
  const decoded = refusing(() => decodePackage(bytes, decodeOptions(rules)));
  if (isRefusal(decoded)) return explained(decoded, bytes);
  return accept(decoded, bytes, rules, (text) => ({
    refused: `${text}\nfailed to remap assets\nfailed to save package`,
  }));
}

/** A refusal that says what came instead of a package, where that can be told. */
export function explained(refusal: Refusal, bytes: Uint8Array): Refusal {
  const instead = refusal.remedy === undefined ? explainFile(bytes) : undefined;
  return instead === undefined
    ? refusal
    : { ...refusal, remedy: `${instead.charAt(0).toUpperCase()}${instead.slice(1)}` };
}

/**
 * Applies the policy to a decoded package and puts its icons in place.
 * @param bytes the package, in a buffer of its own
 * @param unmapped words the refusal for a missing icon
 */
export function accept(
  decoded: DecodedPackage,
  bytes: Uint8Array<ArrayBuffer>,
  rules: IntakeRules,
  unmapped: (text: string) => Refusal,
): Checked<PreparedPackage> {
  const { identifier, declaration, verification } = decoded;
  if (rules.requireVerified && !declaration.verified) return unverified(decoded, rules);
  if (
    rules.protectLanggenius &&
    identifier.author.toLowerCase() === 'langgenius' &&
    verification?.authorized_category !== 'langgenius'
  ) {
    return { refused: claimsLanggenius };
  }
  const remapped = refusing(() => remapAssets(declaration, decoded.assets));
  if (isRefusal(remapped)) return unmapped(remapped.refused);
  return {
    identifier: identifier.text,
    pluginId: identifier.pluginId,
    declaration: stringifyDeclaration(remapped.declaration),
    manifest: stringifyDeclaration(presentDeclaration(remapped.declaration)),
    described: stringifyDeclaration(presentDeclaration(declaration)),
    verification,
    assets: [...remapped.media].map(([id, content]) => ({ id, content: new Uint8Array(content) })),
    bytes,
    warnings: decoded.warnings.map((problem) =>
      problem.file === undefined ? problem.message : `${problem.file}: ${problem.message}`,
    ),
  };
}

/** Decodes a stored package again for clients that want to see what is in it. */
export function describe(bytes: Uint8Array, checksum: string, rules: PackageRules): Checked<PackageDescription> {
  return refusing(() => {
    openStoredPackage(bytes, checksum, { maxUnpackedBytes: rules.maxUnpackedBytes });
    const decoded = decodePackage(bytes, decodeOptions(rules));
    return {
      manifest: stringifyDeclaration(presentDeclaration(decoded.declaration)),
      verification: decoded.verification,
    };
  });
}

export interface Readmes {
  /** `[language, text]` */
  readonly readmes: readonly (readonly [string, string])[];
}

/**
 * The readme texts of a package. One that has only translations has those (docs/wire/http-api.md#lists-and-packages); one without any is
 * refused.
 */
export function extractReadmes(bytes: Uint8Array, checksum: string): Checked<Readmes> {
  return refusing(() => {
    const archive = openStoredPackage(bytes, checksum);
    try {
      return { readmes: [...readReadmes(archive)] };
    } catch (error) {
      const translations = archive.names.flatMap((name): [string, string][] => {
        const language = TRANSLATED_README.exec(name)?.[1];
        return language === undefined ? [] : [[language, Buffer.from(archive.read(name)).toString()]];
      });
      if (translations.length === 0) throw error;
      return { readmes: translations };
    }
  });
}

const TRANSLATED_README = /^readme\/README_([a-z]{2}_[A-Za-z]{2,})\.md$/;

export interface ExtractedAsset {
  readonly content: Uint8Array<ArrayBuffer> | null;
}

/** One file below `_assets/`; null when the package has none of that name. */
export function extractAsset(bytes: Uint8Array, checksum: string, path: string): Checked<ExtractedAsset> {
  return refusing(() => {
    const content = readAsset(openStoredPackage(bytes, checksum), path);
    return { content: content === null ? null : new Uint8Array(content) };
  });
}

export function decodeOptions(rules: PackageRules): DecodeOptions {
  // Dify shows the category `langgenius` as its own: only the official key vouches for it.
  return { maxUnpackedBytes: rules.maxUnpackedBytes, publicKeys: rules.publicKeys, reserveOfficialCategory: true };
}
