import { expect, test } from 'vitest';
import { PackageError } from '../errors.ts';
import { openPackage, openStoredPackage, writeZip } from './index.ts';

const pack = (files: Record<string, string>): Buffer =>
  Buffer.from(writeZip(Object.entries(files).map(([name, text]) => ({ name, content: Buffer.from(text) }))));
const right = pack({ 'manifest.yaml': 'name: a\n', 'main.py': 'print(1)\n'.repeat(50) });
const checksum = openPackage(right).checksum();

test('a package that is what it was opens, in whatever way it is packed', () => {
  expect(openStoredPackage(right, checksum).names).toEqual(['manifest.yaml', 'main.py']);
  const inAnotherOrder = pack({ 'main.py': 'print(1)\n'.repeat(50), 'manifest.yaml': 'name: a\n' });
  expect(openStoredPackage(inAnotherOrder, checksum).names).toEqual(['main.py', 'manifest.yaml']);
});

test.each([
  ['another package', pack({ 'manifest.yaml': 'name: a\n', 'main.py': 'print(2)\n' })],
  ['a file more', pack({ 'manifest.yaml': 'name: a\n', 'main.py': 'print(1)\n'.repeat(50), 'x.py': '' })],
  ['a file less', pack({ 'manifest.yaml': 'name: a\n' })],
  ['nothing', Buffer.alloc(0)],
  ['a page', Buffer.from('<html><body>502 Bad Gateway</body></html>')],
  ['the beginning', right.subarray(0, right.length - 40)],
  ['zeros in the middle', Buffer.concat([right.subarray(0, 60), Buffer.alloc(40), right.subarray(100)])],
])('%s is told as damage, for programs too', (_, bytes) => {
  let told: unknown;
  try {
    openStoredPackage(bytes, checksum);
  } catch (error) {
    told = error;
  }
  expect(told).toBeInstanceOf(PackageError);
  expect(told).toMatchObject({ detail: { tag: 'damaged' }, remedy: expect.stringContaining('object store') });
});
