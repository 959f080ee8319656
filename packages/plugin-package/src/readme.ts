import type { PackageArchive } from './archive/index.ts';
import { PackageError } from './errors.ts';

const ROOT = 'README.md';
const TRANSLATION = /^readme\/README_([a-z]{2}_[A-Za-z]{2,})\.md$/;

/**
 * Readme texts by language: `README.md` is en_US, `readme/README_<language>.md` the others (docs/wire/packages.md#readmes).
 * @throws PackageError `open README.md: file does not exist\nen_US readme not found`
 */
export function readReadmes(archive: PackageArchive): Map<string, string> {
  const readmes = new Map([['en_US', readRoot(archive)]]);
  for (const name of archive.names) {
    const language = TRANSLATION.exec(name)?.[1];
    if (language !== undefined) readmes.set(language, text(archive.read(name)));
  }
  return readmes;
}

function readRoot(archive: PackageArchive): string {
  try {
    return text(archive.read(ROOT));
  } catch (error) {
    throw error instanceof PackageError ? error.joined('en_US readme not found') : error;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
