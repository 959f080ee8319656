import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodePackage } from '../package.ts';
import { pack, toolPlugin } from '../testing/examples.ts';
import { explainFile } from './explain.ts';
import { writeZip } from './zip-writer.ts';

const tar = Buffer.alloc(1024);
tar.write('ustar', 257);
const whole = pack(toolPlugin());
const zip = (...names: string[]) => writeZip(names.map((name) => ({ name, content: Buffer.from('x') })));

// The writer writes no such names.
const backslashed = Buffer.from(
  zip('manifest.yaml', 'tools~x.yaml').toString('latin1').replaceAll('~', '\\'),
  'latin1',
);

test.each([
  ['nothing', Buffer.alloc(0), /empty/],
  ['a page', Buffer.from('\n <!DOCTYPE html><title>Sign in</title>'), /web page/],
  ['a page with a BOM', Buffer.from('\ufeff<html>'), /web page/],
  ['a tarball', gzipSync(tar), /gzip/],
  ['a tar archive', tar, /tar archive/],
  ['a 7z archive', Buffer.from('377abcaf271c0004', 'hex'), /7z/],
  ['an answer of an API', Buffer.from('{"message":"Not Found"}'), /JSON/],
  ['a pointer of Git LFS', Buffer.from('version https://git-lfs.github.com/spec/v1\noid'), /Git LFS/],
  ['half a package', whole.subarray(0, whole.length / 2), /cut off/],
  ['a text', Buffer.from('name: demo\n'), /text/],
  ['an archive of nothing', zip(), /no files/],
  ['a wrapped folder', zip('demo-main/manifest.yaml', 'demo-main/main.py'), /folder "demo-main"/],
  ['a folder in a folder', zip('a/b/manifest.yaml', 'a/b/c/manifest.yaml'), /folder "a\/b"/],
  ['another spelling', zip('manifest.yml', 'main.py'), /called "manifest.yml"/],
  ['backslashes', backslashed, /backslashes/],
])('%s is called by its name', (_what, bytes, text) => {
  expect(explainFile(bytes)).toMatch(text);
});

test('of a package, and of bytes that are nothing known, nothing is said', () => {
  expect(explainFile(whole)).toBeUndefined();
  expect(explainFile(Buffer.from('00ff00ff', 'hex'))).toBeUndefined();
  expect(explainFile(zip('a.txt'))).toBeUndefined();
});

test.each([
  ['', /an entry for a folder that is written like a file, "tools", and "tools\//],
  ['text', /a file, "tools", and "tools\//],
])('a name that is both file and folder is refused before it is installed (%j)', (content, text) => {
  expect(() => decodePackage(pack({ ...toolPlugin(), tools: content }))).toThrow(text);
});
