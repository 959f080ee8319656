import { crc32, deflateRawSync } from 'node:zlib';
import { PackageError } from '../errors.ts';

export interface ZipFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** `content` deflated already, by a caller that does so on several threads; the bytes are the same */
  readonly packed?: Buffer | undefined;
}

const VERSION = 20;
const FLAG_DESCRIPTOR = 0x8;
const FLAG_UTF8 = 0x800;
const DEFLATED = 8;
const MAX_32 = 0xffffffff;

/**
 * A zip the way packages are laid out (docs/wire/packages.md#container): every file deflated, sizes in a data descriptor, DOS date
 * 0, no extra fields, no directory entries. Same files in, same bytes out, on the same zlib.
 */
export function writeZip(files: Iterable<ZipFile>, comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  let count = 0;
  for (const { name, content, packed: given } of files) {
    const rawName = Buffer.from(name.replaceAll('\\', '/'), 'utf8');
    const packed = given ?? deflateRawSync(content);
    const crc = crc32(content);
    const flags = rawName.length === name.length ? FLAG_DESCRIPTOR : FLAG_DESCRIPTOR | FLAG_UTF8;

    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(VERSION, 4);
    local.writeUInt16LE(flags, 6);
    local.writeUInt16LE(DEFLATED, 8);
    local.writeUInt16LE(rawName.length, 26);

    const descriptor = Buffer.alloc(16);
    descriptor.writeUInt32LE(0x08074b50, 0);
    descriptor.writeUInt32LE(crc, 4);
    descriptor.writeUInt32LE(packed.length, 8);
    descriptor.writeUInt32LE(content.length, 12);

    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(VERSION, 4);
    central.writeUInt16LE(VERSION, 6);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(DEFLATED, 10);
    descriptor.copy(central, 16, 4);
    central.writeUInt16LE(rawName.length, 28);
    central.writeUInt32LE(at, 42);

    parts.push(local, rawName, packed, descriptor);
    directory.push(central, rawName);
    at += 30 + rawName.length + packed.length + 16;
    count++;
    if (at > MAX_32 || count >= 0xffff) throw new PackageError('package is too large: zip64 is not written');
  }
  const directorySize = directory.reduce((sum, part) => sum + part.length, 0);
  const rawComment = Buffer.from(comment, 'utf8');
  if (rawComment.length > 0xffff) throw new PackageError('archive comment is longer than 65535 bytes');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(directorySize, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(rawComment.length, 20);
  return Buffer.concat([...parts, ...directory, end, rawComment]);
}
