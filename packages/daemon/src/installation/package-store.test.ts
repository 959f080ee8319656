import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeZip } from '@plugin-daemon/plugin-package';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ObjectStorage, openLocalStorage } from '../storage/index.ts';
import { PackageStore } from './package-store.ts';

const ID = `acme/kept:0.0.1@${'a'.repeat(64)}`;
const whole = writeZip([{ name: 'manifest.yaml', content: Buffer.from('version: 0.0.1\n'.repeat(50)) }]);
const cut = whole.subarray(0, -30);

let root: string;
let objects: ObjectStorage;
let store: PackageStore;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'package-store-'));
  objects = await openLocalStorage({ root, nodeId: 'node' });
  store = new PackageStore(objects, { packages: 'plugin_packages', installed: 'plugin', media: 'assets' });
});
afterEach(async () => {
  await objects.close();
  rmSync(root, { recursive: true });
});

const put = async (prefix: string, content: Uint8Array | undefined): Promise<void> => {
  if (content !== undefined) await objects.write(`${prefix}/${ID}`, content);
};
const streamed = async (): Promise<Buffer> => Buffer.concat(await (await store.openPackage(ID)).stream.toArray());

test.each([
  ['missing', undefined],
  ['empty', new Uint8Array()],
  ['cut off', cut],
])('a package that is %s is read from its installed copy', async (_, content) => {
  await put('plugin_packages', content);
  await put('plugin', whole);
  expect(Buffer.from(await store.readPackage(ID)).equals(whole)).toBe(true);
  if (content !== cut) expect((await streamed()).equals(whole)).toBe(true);
});

test('a whole package is read itself, and so is a damaged one without a better copy', async () => {
  await put('plugin_packages', whole);
  await put('plugin', cut);
  expect(Buffer.from(await store.readPackage(ID)).equals(whole)).toBe(true);
  await put('plugin_packages', cut);
  expect(Buffer.from(await store.readPackage(ID)).equals(cut)).toBe(true);
  await put('plugin_packages', new Uint8Array());
  await objects.delete(`plugin/${ID}`);
  expect((await store.readPackage(ID)).byteLength).toBe(0);
  expect((await streamed()).byteLength).toBe(0);
});

test('without either it is not found', async () => {
  const missing = { message: 'plugin package not found, please upload it firstly' };
  await expect(store.readPackage(ID)).rejects.toMatchObject(missing);
  await expect(store.openPackage(ID)).rejects.toMatchObject(missing);
});
