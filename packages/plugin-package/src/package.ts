import { posix } from 'node:path';
import { openPackage, type PackageArchive } from './archive/index.ts';
import { ArchiveAssets } from './assets.ts';
import type { PluginDeclaration } from './declaration/index.ts';
import { type Assembled, assembleDeclaration, validateManifest } from './declaration/index.ts';
import { PackageError, type Problem } from './errors.ts';
import { isUniqueIdentifier, isUuid, parseUniqueIdentifier, type UniqueIdentifier } from './identifier.ts';
import { type SignatureVerdict, VERIFICATION_FILE, type Verification, verifySignature } from './signature/index.ts';

export interface DecodeOptions {
  /** bytes of all files together, uncompressed; unlimited when absent */
  readonly maxUnpackedBytes?: number | undefined;
  /** PEM texts of RSA public keys that are trusted in addition to the official one */
  readonly publicKeys?: readonly string[] | undefined;
  /** only the official key may vouch for the category `langgenius`; default false, as upstream */
  readonly reserveOfficialCategory?: boolean | undefined;
}

export interface DecodedPackage {
  readonly identifier: UniqueIdentifier;
  /** icons as paths, as the package has them; defaults filled in; `verified` says what the signature is worth */
  readonly declaration: PluginDeclaration;
  /** null when not verified, or of no known category */
  readonly verification: Verification | null;
  readonly verified: boolean;
  readonly signature: SignatureVerdict;
  readonly archive: PackageArchive;
  /** files below `_assets/`, keyed by the path below it, inflated when asked for */
  readonly assets: ReadonlyMap<string, Uint8Array>;
  /** what the field rules would object to; the package is accepted nevertheless (docs/wire/packages.md#what-is-checked-where) */
  readonly warnings: readonly Problem[];
}

/**
 * Everything an upload wants to know about a package, in upstream's order of checks: container and size, declaration,
 * identity, author, cross checks, signature. Signature policy is the caller's. Each file is inflated once, except those
 * that are read again through `archive` or `assets`.
 * @throws PackageError with the texts of docs/wire/packages.md#error-texts
 */
export function decodePackage(bytes: Uint8Array, options: DecodeOptions = {}): DecodedPackage {
  const opened = open(bytes, options);
  const identifier = identify(opened);
  if (isUuid(identifier.author)) throw new PackageError('cannot set author to an UUID');
  return {
    identifier,
    ...inContext(
      (text) => `${text}\nfailed to decode package`,
      () => judge(opened, options),
    ),
  };
}

/**
 * As `decodePackage`, for a package inside a bundle: authors are not looked at, and the failed step comes first in the
 * error's text.
 */
export function decodeBundledPackage(bytes: Uint8Array, options: DecodeOptions = {}): DecodedPackage {
  const opened = inContext(prefix('failed to create package decoder'), () => open(bytes, options));
  const identifier = inContext(prefix('failed to get package unique identifier'), () => identify(opened));
  return { identifier, ...inContext(prefix('failed to decode package'), () => judge(opened, options)) };
}

interface OpenedPlugin extends Assembled {
  readonly archive: PackageArchive;
}

function open(bytes: Uint8Array, options: DecodeOptions): OpenedPlugin {
  const archive = openPackage(bytes, { maxUnpackedBytes: options.maxUnpackedBytes });
  refuseDuplicates(archive);
  refuseFileAsFolder(archive);
  return { ...assembleDeclaration(archive), archive };
}

function identify({ archive, declaration }: OpenedPlugin): UniqueIdentifier {
  const { author, name, version } = declaration;
  const identity = `${author === '' ? '' : `${author}/`}${name}:${version}`;
  const text = `${identity}@${archive.checksum()}`;
  if (!isUniqueIdentifier(text))
    throw new PackageError(`plugin_unique_identifier is not valid: ${text}`, { remedy: whyInvalid(declaration) });
  return parseUniqueIdentifier(text);
}

/** The part of manifest.yaml that makes an identifier invalid. */
function whyInvalid({ author, name, version }: PluginDeclaration): string {
  if (!/^[a-z0-9_-]{0,64}$/.test(author))
    return `The author of manifest.yaml may hold lowercase letters, digits, - and _, at most 64: ${suggestion(author)}`;
  if (!/^[a-z0-9_-]{1,255}$/.test(name))
    return `The name in manifest.yaml may hold lowercase letters, digits, - and _: ${suggestion(name)}`;
  return `The version in manifest.yaml must be numbers such as 0.1.0, not ${JSON.stringify(version.slice(0, 64))}`;
}

function suggestion(text: string): string {
  const fixed = text
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '-');
  return fixed === '' ? 'it is empty' : `write ${fixed}`;
}

function judge(opened: OpenedPlugin, options: DecodeOptions): Omit<DecodedPackage, 'identifier'> {
  const { archive } = opened;
  inContext(
    (text) => `${text}\nillegal plugin manifest`,
    () => validateManifest(opened.declaration),
  );
  const signature = verifySignature(archive, options);
  const verified = signature.state === 'verified';
  const warnings = [...opened.warnings, ...signature.keyProblems];
  return {
    declaration: { ...opened.declaration, verified },
    verification: signature.verification,
    verified,
    signature,
    archive,
    assets: new ArchiveAssets(archive),
    warnings,
  };
}

function prefix(context: string): (text: string) => string {
  return (text) => `${context}\n${text}`;
}

/** Runs a step; the text of its error is put into context. */
function inContext<T>(context: (text: string) => string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof PackageError ? new PackageError(context(error.message), error) : error;
  }
}

/** Such a package could be read, and never be written to a disk. */
function refuseFileAsFolder(archive: PackageArchive): void {
  const files = new Set(archive.names.map((name) => posix.join(name)));
  for (const name of files) {
    for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
      const folder = name.slice(0, at);
      if (!files.has(folder)) continue;
      const what = archive.read(folder).length === 0 ? 'an entry for a folder that is written like a file' : 'a file';
      throw new PackageError(
        `plugin package contains ${what}, ${JSON.stringify(folder)}, and ${JSON.stringify(name)} below it; pack it with: dify plugin package`,
      );
    }
  }
}

/** No packer writes them, and two readers may disagree on which one counts. Signing twice has left two verification files. */
function refuseDuplicates(archive: PackageArchive): void {
  const seen = new Set<string>();
  for (const name of archive.names) {
    if (seen.has(name) && name !== VERIFICATION_FILE) {
      throw new PackageError(`plugin package contains ${JSON.stringify(name)} more than once`);
    }
    seen.add(name);
  }
}
