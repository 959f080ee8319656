/** What a file that is no package is instead: people upload the page of a download, a tarball, or the wrong file. */
import { PackageError } from '../errors.ts';
import { openArchive, type PackageArchive } from './package-archive.ts';

type Kind = readonly [is: (bytes: Buffer, head: string) => boolean, text: string];

const starts =
  (...signatures: readonly string[]) =>
  (bytes: Buffer): boolean =>
    signatures.some((signature) => bytes.toString('latin1', 0, signature.length) === signature);

const kinds: readonly Kind[] = [
  [(bytes) => bytes.length === 0, 'the file is empty'],
  [
    (_, head) => /^\s*(?:<!doctype html|<html|<head|<body|<!--)/i.test(head),
    'it is a web page, perhaps that of a login or of an error; fetch the file behind it',
  ],
  [starts('\x1f\x8b'), 'it is compressed with gzip (a .tar.gz?), and packages are zip archives'],
  [
    starts('BZh', '\xfd7zXZ\0', '\x28\xb5\x2f\xfd'),
    'it is compressed with bzip2, xz or zstd, and packages are zip archives',
  ],
  [(bytes) => bytes.toString('latin1', 257, 262) === 'ustar', 'it is a tar archive, and packages are zip archives'],
  [starts('7z\xbc\xaf\x27\x1c', 'Rar!'), 'it is a 7z or rar archive, and packages are zip archives'],
  [starts('PK'), 'it begins as a zip archive and does not end as one: it was cut off, so fetch it again'],
  [starts('version https://git-lfs'), 'it is a pointer of Git LFS; fetch the file itself (git lfs pull)'],
  [(_, head) => /^\s*[{[]/.test(head), 'it is JSON, perhaps the error of the site it was fetched from'],
  [(_, head) => /^\s*<(?:\?xml|svg|error)/i.test(head), 'it is XML, perhaps the error of the site it was fetched from'],
  [starts('%PDF'), 'it is a PDF'],
  [starts('\x7fELF', 'MZ'), 'it is a program'],
  [(_, head) => !/[^\t\n\r\x20-\x7e]/.test(head), 'it is a text'],
];

/** Bytes that are looked at. */
const HEAD = 512;

function whatItIs(bytes: Buffer): string | undefined {
  const head = bytes.toString('latin1', 0, HEAD).replace(/^\xef\xbb\xbf/, '');
  return kinds.find(([is]) => is(bytes, head))?.[1];
}

/** Why a package without a manifest at its root has none there. */
function whereTheManifestIs(names: readonly string[]): string | undefined {
  const manifests = names.filter((name) => /(?:^|[/\\])manifest\.ya?ml$/i.test(name));
  const spelt = manifests.find((name) => !/[/\\]/.test(name));
  if (spelt !== undefined) return `the file is called ${JSON.stringify(spelt)}`;
  const [shortest] = manifests.toSorted((a, b) => a.length - b.length);
  if (shortest === undefined) return undefined;
  const folder = shortest.replace(/[/\\][^/\\]*$/, '');
  return `the plugin is in the folder ${JSON.stringify(folder)} of the archive; pack what is in the folder, not the folder`;
}

/** Some tools on Windows write them. */
const BACKSLASHES =
  'folders in the archive are parted by backslashes, which only tools on Windows read; pack the plugin with: dify plugin package';

/**
 * What came instead of a package, for one that was refused.
 * @returns a clause without a full stop; undefined when nothing can be told
 */
export function explainFile(bytes: Uint8Array): string | undefined {
  let archive: PackageArchive;
  try {
    archive = openArchive(bytes);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    return whatItIs(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  if (archive.names.length === 0) return 'the archive has no files';
  if (archive.names.some((name) => name.includes('\\'))) return BACKSLASHES;
  return archive.names.includes('manifest.yaml') ? undefined : whereTheManifestIs(archive.names);
}
