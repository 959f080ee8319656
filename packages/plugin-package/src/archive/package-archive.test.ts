import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksumOf } from './checksum.ts';
import { openPackage } from './package-archive.ts';
import { writeZip } from './zip-writer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const zipOf = (...entries: readonly (readonly [string, string])[]) =>
  openPackage(writeZip(entries.map(([name, content]) => ({ name, content: Buffer.from(content) }))));

test('the checksum depends on names and contents, not on the order in the archive', () => {
  const vector = 'a9a1c40fba4cfb930415ac633c14dc42740253e89e92064b7bae2b33659c35ef';
  expect(checksumOf([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(zipOf(['a.txt', 'hello'], ['b/c.txt', 'world']).checksum()).toBe(vector);
  expect(zipOf(['b/c.txt', 'world'], ['a.txt', 'hello']).checksum()).toBe(vector);
  expect(zipOf(['b//c.txt', 'world'], ['a.txt', 'hello']).checksum()).toBe(vector);
});

test('paths are sorted as bytes, not as JavaScript text', () => {
  const astral = '\u{1f600}';
  const wide = '\uffee';
  expect(astral < wide).toBe(true);
  const hashes = new Map([astral, wide].map((name) => [name, Buffer.alloc(32, name)]));
  expect(checksumOf(hashes)).toBe(checksumOf([...hashes].reverse()));
  expect(checksumOf(hashes)).not.toBe(
    checksumOf(
      new Map([
        [astral, Buffer.alloc(32, wide)],
        [wide, Buffer.alloc(32, astral)],
      ]),
    ),
  );
});

test('directory entries are as if they were not there', () => {
  const archive = zipOf(['_assets/', ''], ['a.txt', 'hello'], ['b/c.txt', 'world']);
  expect(archive.names).toEqual(['a.txt', 'b/c.txt']);
  expect(archive.checksum()).toBe(zipOf(['a.txt', 'hello'], ['b/c.txt', 'world']).checksum());
});

test.each([
  ['../../evil', 'open ../../evil: invalid argument'],
  ['/evil', 'open /evil: invalid argument'],
  ['tools\\x.yaml', 'open tools\\x.yaml: file does not exist'],
])('a file called %s keeps a package from having a checksum', (name, text) => {
  const bytes = writeZip([{ name: name.replace('\\', '#'), content: Buffer.from('x') }]);
  const renamed = Buffer.from(bytes.toString('latin1').replaceAll('tools#x', 'tools\\x'), 'latin1');
  expect(() => openPackage(renamed).checksum()).toThrow(text);
});

test('of two files of one name the first is read, hashed and extracted', () => {
  const archive = zipOf(['a', 'first'], ['a', 'second']);
  expect(Buffer.from(archive.read('a')).toString()).toBe('first');
  expect(archive.contentHashes()[1]).toEqual(archive.contentHashes()[0]);
  archive.extractTo(join(folder, 'x'));
  expect(readFileSync(join(folder, 'x/a'), 'utf8')).toBe('first');
});

test('extraction writes every file and replaces what was there', () => {
  const target = join(folder, 'plugin');
  zipOf(['old.txt', 'old']).extractTo(target);
  zipOf(['deep/er/new.txt', 'new'], ['run.sh', '#!']).extractTo(target);
  expect(readFileSync(join(target, 'deep/er/new.txt'), 'utf8')).toBe('new');
  expect(existsSync(join(target, 'old.txt'))).toBe(false);
  expect(statSync(join(target, 'run.sh')).mode & 0o111).toBe(0);
  expect(readdirSync(folder)).toEqual(['plugin']);
});

test('a package that leads out of its directory is not extracted, and what was there stays', () => {
  const target = join(folder, 'plugin');
  zipOf(['keep.txt', 'kept']).extractTo(target);
  expect(() => zipOf(['good.txt', 'x'], ['../evil', 'x']).extractTo(target)).toThrow(
    /^copy plugin to working directory error: illegal file path in plugin package: "\.\.\/evil"\nillegal file path/,
  );
  expect(readFileSync(join(target, 'keep.txt'), 'utf8')).toBe('kept');
  expect(readdirSync(folder)).toEqual(['plugin']);
  expect(existsSync(join(folder, 'evil'))).toBe(false);
});

test('a file that is also a directory fails the extraction as a whole', () => {
  expect(() => zipOf(['a', 'file'], ['a/b', 'x']).extractTo(join(folder, 'plugin'))).toThrow(/^copy plugin to working/);
  expect(readdirSync(folder)).toEqual([]);
});

test('an unwritable place is an error with its cause', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(() => zipOf(['a', 'x']).extractTo(join(folder, 'file/inside'))).toThrow(
    /^copy plugin to working directory error: /,
  );
});

test.each([
  ['counted', (archive: ReturnType<typeof zipOf>) => void archive.checksum()],
  ['extracted', (archive: ReturnType<typeof zipOf>) => archive.extractTo(join(folder, 'out'))],
])('of a package that is %s not all contents are in memory at once', (_what, use) => {
  const files = 24;
  const text = 'x'.repeat(1024 * 1024);
  const archive = zipOf(...Array.from({ length: files }, (_, n) => [`_assets/${n}.bin`, `${n}${text}`] as const));
  const before = process.memoryUsage().arrayBuffers;
  use(archive);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((files / 4) * text.length);
  // What was given back is read again.
  expect(archive.read('_assets/7.bin').toString()).toBe(`7${text}`);
  expect(archive.read('_assets/7.bin').length).toBe(text.length + 1);
});

test('files that are stored stay, whoever has read them: they are part of the archive', () => {
  const content = Buffer.alloc(300_000, 'y');
  const zip = writeZip([{ name: 'a.bin', content, packed: content }]);
  zip.writeUInt16LE(0, 8);
  zip.writeUInt16LE(0, zip.indexOf('PK\x01\x02') + 10);
  const archive = openPackage(zip);
  const view = archive.read('a.bin');
  archive.checksum();
  archive.extractTo(join(folder, 'out'));
  expect(content.equals(view)).toBe(true);
  expect(readFileSync(join(folder, 'out/a.bin')).equals(content)).toBe(true);
});
