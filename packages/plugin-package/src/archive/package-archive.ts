import { hash, randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { missingFile, PackageError } from '../errors.ts';
import { checksumOf } from './checksum.ts';
import { readDirectory, readEntry, type ZipEntry } from './zip-reader.ts';

export interface ArchiveLimits {
  /** bytes of all entries together, uncompressed */
  readonly maxUnpackedBytes?: number | undefined;
  /** number of entries, default 10 000 */
  readonly maxEntries?: number | undefined;
}

/** The files of one package. Nothing is inflated before it is asked for, and nothing inflated is kept. */
export interface PackageArchive {
  /** file names in archive order, without directory entries, duplicates included */
  readonly names: readonly string[];
  readonly unpackedBytes: number;
  /** the archive comment, which holds the signature of a signed package; '' when there is none */
  readonly comment: string;
  has(name: string): boolean;
  /**
   * The first file of that name; the bytes may be a view of the archive's own.
   * @throws PackageError `open <name>: file does not exist`, and the texts of damaged entries (docs/wire/packages.md#damaged-archives)
   */
  read(name: string): Uint8Array;
  /** Writes every file below a directory: into a new sibling that then takes its place, or not at all. @throws PackageError */
  extractTo(directory: string): void;
  /** lower-case hex SHA-256 over names and contents (docs/wire/packages.md#checksum) */
  checksum(): string;
  /** SHA-256 of each file's content in archive order; the first of duplicate names answers for all of them */
  contentHashes(): readonly Buffer[];
}

/** Files of a package. */
export const MAX_ENTRIES = 10_000;
/** Bytes of a file's path. */
export const MAX_NAME_LENGTH = 1024;

/**
 * Opens a .difypkg or .difybndl held in memory.
 * @throws PackageError with the zip reader's text, `zip` replaced by `difypkg`, or
 *   `plugin package size is too large, please ensure the uncompressed size is less than <n> bytes`
 */
export function openPackage(bytes: Uint8Array, limits: ArchiveLimits = {}): PackageArchive {
  try {
    return openArchive(bytes, limits);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new PackageError(error.message.replaceAll('zip', 'difypkg'), error);
  }
}

/** As `openPackage`, with the zip reader's own texts. */
export function openArchive(bytes: Uint8Array, limits: ArchiveLimits = {}): PackageArchive {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = readDirectory(buffer, {
    maxEntries: limits.maxEntries ?? MAX_ENTRIES,
    maxNameLength: MAX_NAME_LENGTH,
  });
  const files = directory.entries.filter((entry) => !entry.name.endsWith('/'));
  const unpackedBytes = files.reduce((sum, entry) => sum + entry.size, 0);
  const limit = limits.maxUnpackedBytes ?? Number.POSITIVE_INFINITY;
  if (unpackedBytes > limit) {
    throw new PackageError(
      `plugin package size is too large, please ensure the uncompressed size is less than ${limit} bytes`,
    );
  }
  return new ZipArchive(buffer, files, directory.comment, unpackedBytes);
}

class ZipArchive implements PackageArchive {
  readonly names: readonly string[];
  readonly unpackedBytes: number;
  readonly comment: string;
  readonly #bytes: Buffer;
  readonly #files: readonly ZipEntry[];
  readonly #byName = new Map<string, ZipEntry>();
  /** content hashes of what was read already: one package is inflated once, not once per purpose */
  readonly #hashes = new Map<ZipEntry, Buffer>();
  #checksum: string | undefined;

  constructor(bytes: Buffer, files: readonly ZipEntry[], comment: string, unpackedBytes: number) {
    this.#bytes = bytes;
    this.#files = files;
    this.comment = comment;
    this.unpackedBytes = unpackedBytes;
    this.names = files.map((file) => file.name);
    for (const file of files) {
      const name = indexName(file.name);
      if (!this.#byName.has(name)) this.#byName.set(name, file);
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  read(name: string): Buffer {
    const entry = this.#find(name);
    const content = readEntry(this.#bytes, entry);
    if (!this.#hashes.has(entry)) this.#hashes.set(entry, sha256(content));
    return content;
  }

  contentHashes(): readonly Buffer[] {
    return this.#files.map((file) => this.#hash(this.#find(cleanName(file))));
  }

  checksum(): string {
    this.#checksum ??= checksumOf(
      this.#files.map((file) => {
        const path = cleanName(file);
        return [path, this.#hash(this.#find(path))];
      }),
    );
    return this.#checksum;
  }

  extractTo(directory: string): void {
    const temporary = join(dirname(directory), `.${basename(directory)}.${randomUUID()}`);
    try {
      mkdirSync(temporary, { recursive: true, mode: 0o755 });
      this.#writeFiles(temporary);
      rmSync(directory, { recursive: true, force: true });
      renameSync(temporary, directory);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      const text = messageOf(error);
      throw new PackageError(`copy plugin to working directory error: ${text}\n${text}`, { cause: error });
    }
  }

  #writeFiles(root: string): void {
    const made = new Set<string>(['.']);
    for (const file of this.#byName.values()) {
      const path = posix.join(file.name);
      if (path === '..' || path.startsWith('../')) {
        throw new PackageError(`illegal file path in plugin package: ${JSON.stringify(path)}`);
      }
      const parent = posix.dirname(path);
      if (!made.has(parent)) {
        mkdirSync(join(root, parent), { recursive: true, mode: 0o755 });
        made.add(parent);
      }
      // the directory is new and only this call writes to it, so no link can lead out of it; 'wx' also refuses names that
      // only differ in what the file system ignores
      const content = readEntry(this.#bytes, this.#find(cleanName(file)));
      writeFileSync(join(root, path), content, { flag: 'wx', mode: 0o644 });
      this.#free(content);
    }
  }

  #find(name: string): ZipEntry {
    if (!isValidPath(name)) throw new PackageError(`open ${name}: invalid argument`);
    const entry = this.#byName.get(name);
    if (entry === undefined) throw missingFile(name);
    if (!entry.validName) throw new PackageError(`open ${name}: invalid argument`);
    return entry;
  }

  #hash(entry: ZipEntry): Buffer {
    const known = this.#hashes.get(entry);
    if (known !== undefined) return known;
    const content = readEntry(this.#bytes, entry);
    const made = sha256(content);
    this.#hashes.set(entry, made);
    this.#free(content);
    return made;
  }

  /** Gives back what was inflated: the collector would let the contents of a whole package pile up before it ran. */
  #free(content: Buffer): void {
    const { buffer } = content;
    // What is stored is part of the archive, and small files are parts of a pool.
    if (buffer === this.#bytes.buffer || content.length <= Buffer.poolSize) return;
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
  }
}

function sha256(content: Uint8Array): Buffer {
  return hash('sha256', content, 'buffer');
}

/** The name a file is asked for by: `a//b` and `a/./b` are `a/b`; names that lead out of the package stay as they are. */
function cleanName(file: ZipEntry): string {
  return posix.join(file.name);
}

/** What a lookup finds a file by. A name written with backslashes is found by slashes, though never under its own name. */
function indexName(name: string): string {
  return posix.join(name.replaceAll('\\', '/')).replace(/^(?:\.\.\/|\/)+/, '');
}

function isValidPath(name: string): boolean {
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
