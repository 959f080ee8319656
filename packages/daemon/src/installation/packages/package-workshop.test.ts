import { openPackage } from '@plugin-daemon/plugin-package';
import { afterAll, expect, test } from 'vitest';
import { ICON, testPackage, zip } from '../testing/packages.ts';
import type { IntakeRules } from './package-jobs.ts';
import { PackageWorkshop } from './package-workshop.ts';

const workshop = new PackageWorkshop({ threads: 1 });
afterAll(() => workshop.close());

/** Of the package of the tests, as its identifier tells it. */
const checksum = openPackage(testPackage()).checksum();

const rules: IntakeRules = {
  maxUnpackedBytes: 1024 * 1024,
  publicKeys: [],
  unusableKeys: 0,
  requireVerified: false,
  protectLanggenius: false,
  maxBundleBytes: 1024 * 1024,
};

test('a package comes back prepared, its bytes handed over and handed back', async () => {
  const bytes = testPackage();
  const copy = Buffer.from(bytes);
  const prepared = await workshop.prepareUpload(bytes, rules);
  expect(bytes.byteLength).toBe(0);
  if ('refused' in prepared) throw new Error(prepared.refused);
  expect(prepared.identifier).toMatch(/^acme\/demo:0\.0\.1@[0-9a-f]{64}$/);
  expect(prepared.pluginId).toBe('acme/demo');
  expect(Buffer.from(prepared.bytes).equals(copy)).toBe(true);
  const [icon] = prepared.assets;
  expect(Buffer.from(icon?.content ?? []).toString()).toBe(ICON);
  expect(JSON.parse(prepared.declaration)).toMatchObject({
    name: 'demo',
    icon: icon?.id,
    tool: { identity: { icon: icon?.id } },
  });
  expect(JSON.parse(prepared.manifest)).toMatchObject({ tool: { identity: { description: { en_US: 'demo' } } } });
  expect(prepared.verification).toBeNull();
});

test.each(['tool', 'model', 'extension', 'agent-strategy', 'datasource', 'trigger'] as const)(
  'a package of category %s is accepted',
  async (category) => {
    expect(await workshop.prepareUpload(testPackage({ category }), rules)).not.toHaveProperty('refused');
  },
);

test('a described package shows its icon paths as written', async () => {
  const described = await workshop.describe(testPackage(), checksum, rules);
  expect(described).toMatchObject({ verification: null });
  if ('refused' in described) throw new Error(described.refused);
  expect(JSON.parse(described.manifest)).toMatchObject({ icon: 'icon.svg' });
});

test('readmes and single files are taken out', async () => {
  expect(await workshop.readmes(testPackage(), checksum)).toEqual({
    readmes: [
      ['en_US', '# demo\n'],
      ['zh_Hans', '# demo zh\n'],
    ],
  });
  const found = await workshop.asset(testPackage(), checksum, 'icon.svg');
  expect(found).toMatchObject({ content: new Uint8Array(Buffer.from(ICON)) });
  expect(await workshop.asset(testPackage(), checksum, 'none')).toEqual({ content: null });
});

test('of a stored package that is not what was stored nothing is given out', async () => {
  const other = () => testPackage({ category: 'model' });
  for (const told of [
    await workshop.describe(other(), checksum, rules),
    await workshop.readmes(other(), checksum),
    await workshop.asset(other(), checksum, 'icon.svg'),
    await workshop.asset(new Uint8Array(Buffer.from('<html>')), checksum, 'icon.svg'),
  ]) {
    expect(told).toMatchObject({ damaged: true, refused: expect.stringContaining('the stored package is damaged') });
  }
});

const change = (edit: (files: Record<string, string | Buffer>, manifest: Record<string, unknown>) => void) =>
  testPackage({ change: edit });

test.each<[string, () => Uint8Array<ArrayBuffer>, RegExp | string]>([
  ['not a zip', () => new Uint8Array(Buffer.from('hello')), 'difypkg: not a valid difypkg file'],
  ['cut short', () => testPackage().slice(0, 200), 'difypkg: not a valid difypkg file'],
  ['without manifest', () => zip({ 'a.txt': 'a' }), 'open manifest.yaml: file does not exist'],
  [
    'a manifest that is no YAML',
    () =>
      change((files) => {
        files['manifest.yaml'] = '{{{';
      }),
    /./,
  ],
  [
    'an author that is a UUID',
    () => testPackage({ author: '00000000-0000-4000-8000-000000000001' }),
    'cannot set author to an UUID',
  ],
  [
    'an icon that is not there',
    () =>
      change((_files, manifest) => {
        manifest['icon'] = 'none.svg';
      }),
    'file not found: none.svg\nfailed to remap plugin icon\nfailed to remap assets\nfailed to save package',
  ],
  [
    'a name that leads out',
    () =>
      change((files) => {
        files['../../evil'] = 'x';
      }),
    /invalid argument|illegal/,
  ],
  [
    'more than allowed unpacked (a bomb)',
    () =>
      change((files) => {
        files['zeroes'] = Buffer.alloc(4 * 1024 * 1024);
      }),
    'plugin package size is too large, please ensure the uncompressed size is less than 1048576 bytes',
  ],
])('%s is refused', async (_name, bytes, message) => {
  expect(await workshop.prepareUpload(bytes(), rules)).toMatchObject({
    refused: typeof message === 'string' ? message : expect.stringMatching(message),
  });
});

test('sizes that lie do not get past the limit', async () => {
  const bytes = Buffer.from(
    change((files) => {
      files['zeroes'] = Buffer.alloc(4 * 1024 * 1024);
    }),
  );
  // The central directory says 16 bytes; inflating finds out.
  const at = bytes.lastIndexOf('zeroes');
  bytes.writeUInt32LE(16, at - 46 + 24);
  expect(await workshop.prepareUpload(new Uint8Array(bytes), rules)).toHaveProperty('refused');
});

test('a signature is demanded when asked for', async () => {
  expect(await workshop.prepareUpload(testPackage(), { ...rules, requireVerified: true })).toMatchObject({
    refused:
      'plugin verification has been enabled, and the plugin you want to install has a bad signature: it is not signed',
  });
});

test('the loop runs on while a large package is read', async () => {
  const noise = Buffer.alloc(20 * 1024 * 1024, 1);
  const bytes = change((files) => {
    files['noise'] = noise;
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await workshop.prepareUpload(bytes, { ...rules, maxUnpackedBytes: 50 * 1024 * 1024 });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
});

test('after the end there are no more jobs', async () => {
  const closing = new PackageWorkshop();
  await closing.close();
  await expect(closing.readmes(testPackage(), checksum)).rejects.toThrow('shutting down');
});
