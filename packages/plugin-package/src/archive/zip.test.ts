import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackageError } from '../errors.ts';
import { openArchive, openPackage } from './package-archive.ts';
import { hasArchiveEnd } from './zip-reader.ts';
import { writeZip } from './zip-writer.ts';

const files = (names: readonly string[]) => names.map((name) => ({ name, content: Buffer.from(`content of ${name}`) }));

/** Offsets of a record's signature in an archive. */
function records(zip: Buffer, signature: number): number[] {
  const found: number[] = [];
  for (let at = 0; at + 4 <= zip.length; at++) if (zip.readUInt32LE(at) === signature) found.push(at);
  return found;
}

const central = (zip: Buffer) => records(zip, 0x02014b50);
const end = (zip: Buffer) => records(zip, 0x06054b50).at(-1) ?? -1;

function changed(zip: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(zip);
  change(copy);
  return copy;
}

const refusal = (bytes: Uint8Array, name = 'a.txt') => {
  try {
    openArchive(bytes).read(name);
  } catch (error) {
    if (error instanceof PackageError) return error.message;
    throw error;
  }
  return 'accepted';
};

const plain = writeZip(files(['a.txt', 'b/c.txt']));

test('what is written is read back, whatever the names and contents are', () => {
  const name = fc
    .stringMatching(/^[a-z0-9 ._é漢-]{1,20}(\/[a-z]{1,5})?$/)
    .filter((one) => !/(^|\/)\.{1,2}(\/|$)/.test(one));
  const entry = fc.record({ name, content: fc.uint8Array({ maxLength: 300 }) });
  fc.assert(
    fc.property(
      fc.uniqueArray(entry, { selector: (one) => one.name, maxLength: 20 }),
      fc.string(),
      (entries, comment) => {
        const archive = openArchive(writeZip(entries, comment));
        expect(archive.names).toEqual(entries.map((one) => one.name));
        expect(Buffer.from(archive.comment)).toEqual(Buffer.from(comment));
        for (const one of entries) expect(Buffer.compare(archive.read(one.name), one.content)).toBe(0);
      },
    ),
  );
});

test('the layout is the one packages have always had', () => {
  const zip = writeZip([{ name: 'ä', content: Buffer.from('x') }]);
  expect(zip.readUInt16LE(6)).toBe(0x808);
  expect(zip.readUInt16LE(8)).toBe(8);
  expect(zip.readUInt32LE(10)).toBe(0);
  expect(zip.equals(writeZip([{ name: 'ä', content: Buffer.from('x') }]))).toBe(true);
});

test('no damage makes the reader fail with anything but a PackageError', () => {
  const base = writeZip(files(['manifest.yaml', '_assets/icon.svg', 'x/y/z']), 'comment');
  const flip = fc.record({ at: fc.nat(base.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 6 }), fc.nat(base.length), (flips, cut) => {
      for (const broken of [
        changed(base, (c) => {
          for (const one of flips) c[one.at] = one.value;
        }),
        base.subarray(0, cut),
      ]) {
        try {
          const archive = openPackage(broken, { maxUnpackedBytes: 1 << 20 });
          for (const name of archive.names) archive.read(name);
          archive.checksum();
        } catch (error) {
          expect(error).toBeInstanceOf(PackageError);
        }
      }
    }),
    { numRuns: 1500 },
  );
});

test('random bytes are no zip', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(() => openPackage(bytes)).toThrow('difypkg: not a valid difypkg file');
    }),
  );
});

test('content larger than declared is refused without being inflated', () => {
  const bomb = writeZip([{ name: 'a.txt', content: Buffer.alloc(50 << 20) }]);
  const lying = changed(bomb, (c) => c.writeUInt32LE(10, (central(c)[0] ?? 0) + 24));
  expect(refusal(lying)).toBe('zip: not a valid zip file');
});

test('content smaller than declared is refused', () => {
  expect(refusal(changed(plain, (c) => c.writeUInt32LE(99, (central(c)[0] ?? 0) + 24)))).toBe('unexpected EOF');
});

test('a wrong checksum is refused', () => {
  expect(refusal(changed(plain, (c) => c.writeUInt32LE(1, (central(c)[0] ?? 0) + 16)))).toBe('zip: checksum error');
});

test('damaged deflate data is refused', () => {
  expect(refusal(changed(plain, (c) => c.fill(0xff, 35, 40)))).toMatch(/^flate: corrupt input/);
});

test('other methods are refused', () => {
  const odd = changed(plain, (c) => c.writeUInt16LE(12, (central(c)[0] ?? 0) + 10));
  expect(refusal(odd)).toBe('zip: unsupported compression algorithm');
});

test('entries that share their bytes are refused when the archive is opened', () => {
  const shared = changed(plain, (c) => c.writeUInt32LE(0, (central(c)[1] ?? 0) + 42));
  expect(() => openArchive(shared)).toThrow('zip: not a valid zip file');
});

test('an entry that reaches into the directory is refused', () => {
  const [at = 0] = central(plain);
  expect(() => openArchive(changed(plain, (c) => c.writeUInt32LE(plain.length, at + 20)))).toThrow(
    'zip: not a valid zip file',
  );
});

test('a stored entry is read', () => {
  const content = Buffer.from('stored text');
  const zip = writeZip([{ name: 'a.txt', content }]);
  const packed = deflateRawSync(content).length;
  const [at = 0] = central(zip);
  const stored = Buffer.concat([zip.subarray(0, 35), content, zip.subarray(35 + packed)]);
  const shift = content.length - packed;
  stored.writeUInt16LE(0, 8);
  stored.writeUInt16LE(0, at + shift + 10);
  stored.writeUInt32LE(content.length, at + shift + 20);
  stored.writeUInt32LE(at + shift, end(stored) + 16);
  expect(Buffer.from(openArchive(stored).read('a.txt')).toString()).toBe('stored text');
});

test('bytes before and after the archive do not matter', () => {
  const wrapped = Buffer.concat([Buffer.from('#!/bin/sh\n'), plain, Buffer.from('trailer')]);
  expect(openArchive(wrapped).checksum()).toBe(openArchive(plain).checksum());
});

test('a comment that holds the mark of an end record is a comment', () => {
  const comment = `PK\u0005\u0006${'x'.repeat(30)}`;
  const archive = openArchive(writeZip(files(['a.txt']), comment));
  expect([archive.comment, archive.names]).toEqual([comment, ['a.txt']]);
});

test('zip64 records are read', () => {
  const at = end(plain);
  const [first = 0] = central(plain);
  const end64 = Buffer.alloc(56 + 20);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(2n, 24);
  end64.writeBigUInt64LE(2n, 32);
  end64.writeBigUInt64LE(BigInt(at - first), 40);
  end64.writeBigUInt64LE(BigInt(first), 48);
  end64.writeUInt32LE(0x07064b50, 56);
  end64.writeBigUInt64LE(BigInt(at), 64);
  const tail = changed(plain.subarray(at), (c) => {
    c.writeUInt16LE(0xffff, 10);
    c.writeUInt32LE(0xffffffff, 12);
    c.writeUInt32LE(0xffffffff, 16);
  });
  const big = Buffer.concat([plain.subarray(0, at), end64, tail]);
  expect(openArchive(big).names).toEqual(['a.txt', 'b/c.txt']);
  // in a prefixed archive every recorded offset is short by the prefix
  expect(openArchive(Buffer.concat([Buffer.from('prefix'), big])).names).toEqual(['a.txt', 'b/c.txt']);
});

test('limits on entries and names hold before they are read', () => {
  const many = writeZip(files(Array.from({ length: 11 }, (_, i) => `f${i}`)));
  expect(() => openArchive(many, { maxEntries: 10 })).toThrow(/too many files: 11, at most 10/);
  expect(() => openArchive(writeZip(files(['n'.repeat(1025)])))).toThrow(/file name of 1025 bytes/);
  const nul = Buffer.from(plain.toString('latin1').replaceAll('a.txt', 'a\0txt'), 'latin1');
  expect(() => openArchive(nul)).toThrow(/NUL/);
});

test('an archive that was cut off anywhere has no end, also within its comment', () => {
  const commented = changed(Buffer.concat([plain, Buffer.from('four')]), (zip) => zip.writeUInt16LE(4, end(zip) + 20));
  expect(hasArchiveEnd(commented)).toBe(true);
  for (let length = 0; length < commented.length; length++)
    expect(hasArchiveEnd(commented.subarray(0, length)), `${length} bytes`).toBe(false);
});
