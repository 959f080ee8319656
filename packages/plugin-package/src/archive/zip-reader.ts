import { crc32, inflateRawSync } from 'node:zlib';
import { PackageError } from '../errors.ts';

/** One record of the central directory. `name` is the text in the archive, uncleaned. */
export interface ZipEntry {
  readonly name: string;
  /** false when the name's bytes are no UTF-8: `name` then holds replacement characters */
  readonly validName: boolean;
  readonly method: number;
  readonly packed: number;
  /** declared bytes after unpacking; reading refuses content of any other length */
  readonly size: number;
  readonly crc: number;
  /** offset of the local header in the archive's bytes */
  readonly at: number;
}

export interface ZipDirectory {
  readonly entries: readonly ZipEntry[];
  readonly comment: string;
}

export interface ZipLimits {
  readonly maxEntries: number;
  /** bytes of a name */
  readonly maxNameLength: number;
}

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const MAX_CHUNK = 4 << 20;

const notAZip = (cause?: unknown) => new PackageError('zip: not a valid zip file', { cause });
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the central directory, and nothing else, of a zip held in memory. Everything that a hostile archive can lie
 * about is checked here or in `readEntry`: counts and name lengths before they are allocated, entries that share bytes,
 * sizes, checksums. Bytes before and after the archive are accepted, zip64 records too.
 */
export function readDirectory(bytes: Buffer, limits: ZipLimits): ZipDirectory {
  const end = findEnd(bytes);
  const comment = bytes.toString('utf8', end.at + 22, end.at + 22 + end.commentLength);
  if (end.count > limits.maxEntries) {
    throw new PackageError(
      `plugin package has too many files: ${end.count}, at most ${limits.maxEntries} are accepted`,
    );
  }
  const entries: ZipEntry[] = [];
  let at = end.directory;
  for (let i = 0; i < end.count; i++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) throw notAZip();
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const next = at + 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) throw notAZip();
    if (nameLength > limits.maxNameLength) {
      throw new PackageError(
        `plugin package has a file name of ${nameLength} bytes, at most ${limits.maxNameLength} are accepted`,
      );
    }
    const { name, validName } = decodeName(bytes.subarray(at + 46, at + 46 + nameLength));
    const sizes = {
      size: bytes.readUInt32LE(at + 24),
      packed: bytes.readUInt32LE(at + 20),
      at: bytes.readUInt32LE(at + 42),
    };
    if (sizes.size === MAX_32 || sizes.packed === MAX_32 || sizes.at === MAX_32) {
      applyZip64(sizes, bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    }
    entries.push({
      name,
      validName,
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      size: sizes.size,
      packed: sizes.packed,
      at: sizes.at + end.base,
    });
    at = next;
  }
  refuseOverlaps(entries, end.directory, bytes);
  return { entries, comment };
}

/** The content of one entry. Stored content is a view of `bytes`, not a copy. */
export function readEntry(bytes: Buffer, entry: ZipEntry): Buffer {
  const start = dataStart(bytes, entry);
  const packed = bytes.subarray(start, start + entry.packed);
  if (packed.length !== entry.packed) throw notAZip();
  const content = unpack(packed, entry);
  if (content.length < entry.size) throw new PackageError('unexpected EOF');
  if (content.length > entry.size) throw notAZip();
  if (crc32(content) !== entry.crc) throw new PackageError('zip: checksum error');
  return content;
}

function unpack(packed: Buffer, entry: ZipEntry): Buffer {
  if (entry.method === STORED) return packed;
  if (entry.method !== DEFLATED) throw new PackageError('zip: unsupported compression algorithm');
  try {
    return inflateRawSync(packed, {
      maxOutputLength: Math.max(1, entry.size),
      // one output buffer for most files (a byte to spare: a full one makes zlib ask for another), few for large ones; a
      // lie about the size costs at most one of these
      chunkSize: Math.min(entry.size + 64, MAX_CHUNK),
    });
  } catch (error) {
    throw inflateError(error);
  }
}

function inflateError(error: unknown): PackageError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return notAZip(error);
  if (code === 'Z_BUF_ERROR') return new PackageError('unexpected EOF', { cause: error });
  return new PackageError('flate: corrupt input', { cause: error });
}

interface End {
  readonly at: number;
  readonly commentLength: number;
  readonly count: number;
  /** where the directory starts in the bytes */
  readonly directory: number;
  /** bytes in front of the archive; to be added to every recorded offset */
  readonly base: number;
}

function findEnd(bytes: Buffer): End {
  const at = endAt(bytes);
  if (at === undefined) throw notAZip();
  return { at, commentLength: bytes.readUInt16LE(at + 20), ...directoryPlace(bytes, at) };
}

/** Where the last record begins, behind which nothing but its comment is kept; undefined for what was cut off, or is no archive. */
function endAt(bytes: Buffer): number | undefined {
  for (let at = bytes.length - 22, low = Math.max(0, at - MAX_16); at >= low; at--) {
    if (bytes[at] !== 0x50 || bytes.readUInt32LE(at) !== END) continue;
    if (at + 22 + bytes.readUInt16LE(at + 20) <= bytes.length) return at;
  }
  return undefined;
}

/** Whether the end of an archive is there: of one that was cut off it is not. Says nothing of the rest. */
export const hasArchiveEnd = (bytes: Buffer): boolean => endAt(bytes) !== undefined;

function directoryPlace(bytes: Buffer, at: number): { count: number; directory: number; base: number } {
  let count = bytes.readUInt16LE(at + 10);
  let size = bytes.readUInt32LE(at + 12);
  let offset = bytes.readUInt32LE(at + 16);
  let endOfDirectory = at;
  if ((count === MAX_16 || size === MAX_32 || offset === MAX_32) && at >= 20) {
    if (bytes.readUInt32LE(at - 20) === LOCATOR_64) {
      const end64 = findEnd64(bytes, at);
      count = safe(bytes.readBigUInt64LE(end64 + 32));
      size = safe(bytes.readBigUInt64LE(end64 + 40));
      offset = safe(bytes.readBigUInt64LE(end64 + 48));
      endOfDirectory = end64;
    }
  }
  const plain = offset + 4 <= bytes.length && count > 0 && bytes.readUInt32LE(offset) === CENTRAL;
  const base = plain ? 0 : endOfDirectory - size - offset;
  if (base < 0 || offset + base > bytes.length) throw notAZip();
  return { count, directory: offset + base, base };
}

function findEnd64(bytes: Buffer, at: number): number {
  const named = safe(bytes.readBigUInt64LE(at - 12));
  // in a prefixed archive the named offset misses; the record then lies right before its locator
  for (const place of [named, at - 76]) {
    if (place >= 0 && place + 56 <= bytes.length && bytes.readUInt32LE(place) === END_64) return place;
  }
  throw notAZip();
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw notAZip();
  return Number(value);
}

/** The zip64 extra field holds only the values that did not fit, in this order. */
function applyZip64(sizes: { size: number; packed: number; at: number }, extra: Buffer): void {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (at + 4 + length > extra.length) throw notAZip();
    if (extra.readUInt16LE(at) === 1) {
      let value = at + 4;
      for (const key of ['size', 'packed', 'at'] as const) {
        if (sizes[key] !== MAX_32) continue;
        if (value + 8 > at + 4 + length) throw notAZip();
        sizes[key] = safe(extra.readBigUInt64LE(value));
        value += 8;
      }
      return;
    }
    at += 4 + length;
  }
  throw notAZip();
}

function decodeName(raw: Buffer): { name: string; validName: boolean } {
  if (raw.includes(0)) throw new PackageError('plugin package has a file name with a NUL byte');
  try {
    return { name: utf8.decode(raw), validName: true };
  } catch {
    // a name in another encoding: listed, and refused by whoever reads it
    return { name: raw.toString('utf8'), validName: false };
  }
}

function dataStart(bytes: Buffer, entry: ZipEntry): number {
  if (entry.at < 0 || entry.at + 30 > bytes.length || bytes.readUInt32LE(entry.at) !== LOCAL) throw notAZip();
  return entry.at + 30 + bytes.readUInt16LE(entry.at + 26) + bytes.readUInt16LE(entry.at + 28);
}

/** Entries that share bytes are how a small archive unpacks to terabytes; no archiver writes them. */
function refuseOverlaps(entries: readonly ZipEntry[], directory: number, bytes: Buffer): void {
  let free = 0;
  for (const entry of entries.toSorted((a, b) => a.at - b.at)) {
    if (entry.at < free || entry.at + 30 > directory) throw notAZip('entries overlap');
    free = entry.at + 30 + bytes.readUInt16LE(entry.at + 26) + bytes.readUInt16LE(entry.at + 28) + entry.packed;
    if (free > directory) throw notAZip('entries overlap');
  }
}
