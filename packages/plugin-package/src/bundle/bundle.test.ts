import { expect, test } from 'vitest';
import { decodePackage } from '../package.ts';
import { edit, modelPlugin, pack, toolPlugin } from '../testing/examples.ts';
import {
  bundleFromFiles,
  decodeBundle,
  githubDependency,
  marketplaceDependency,
  readBundle,
  resolveDependency,
  withDependency,
  withoutDependency,
  withPackage,
  writeBundle,
} from './index.ts';

const MANIFEST = `name: kit
labels: {en_US: Kit}
description: {en_US: A kit}
icon: icon.svg
version: 0.0.1
author: studio
type: bundle
dependencies: []
tags: [utilities]
`;

const files = (manifest = MANIFEST) =>
  new Map(
    Object.entries({
      'manifest.yaml': manifest,
      '_assets/icon.svg': '<svg/>',
      'README.md': 'read',
      'README_zh.md': '读',
      'other.txt': 'left out',
      'docs/README.md': 'left out',
    }).map(([name, text]) => [name, Buffer.from(text)] as const),
  );

test('a bundle is written and read back with all it holds', () => {
  let bundle = bundleFromFiles(files());
  bundle = withDependency(bundle, githubDependency('o/r:^1.0.0/x.difypkg'));
  bundle = withDependency(bundle, marketplaceDependency('o/p:1.x.x'));
  bundle = withPackage(bundle, pack(toolPlugin()));
  const read = readBundle(writeBundle(bundle));
  expect(read.manifest).toEqual(bundle.manifest);
  expect([...read.extraFiles.keys()]).toEqual(['README.md', 'README_zh.md']);
  const checksum = decodePackage(pack(toolPlugin())).identifier.checksum;
  expect([...read.assets.keys()].sort()).toEqual([checksum, 'icon.svg'].sort());
  expect(read.warnings).toEqual([]);
  expect(writeBundle(read)).toEqual(writeBundle(bundle));
});

test('dependencies are answered in manifest order, packages decoded', () => {
  let bundle = bundleFromFiles(files());
  bundle = withDependency(bundle, marketplaceDependency('o/p:~1.2.3'));
  bundle = withPackage(bundle, pack(modelPlugin()));
  bundle = withDependency(bundle, githubDependency('o/r:1.0.0-2.0.0/x.difypkg'));
  const decoded = decodeBundle(writeBundle(bundle));
  const [marketplace, embedded, github] = decoded.manifest.dependencies.map((one) => resolveDependency(decoded, one));
  expect(marketplace).toEqual({ type: 'marketplace', value: { organization: 'o', plugin: 'p', version: '~1.2.3' } });
  expect(embedded).toMatchObject({ type: 'package', decoded: { identifier: { pluginId: 'studio/mind' } } });
  expect(github).toEqual({
    type: 'github',
    value: { repo_address: 'https://github.com/o/r', repo: 'o/r', release: '1.0.0-2.0.0', packages: 'x.difypkg' },
  });
});

test('a pattern with too few parts has empty ones', () => {
  const decoded = decodeBundle(writeBundle(bundleFromFiles(files())));
  const value = { repo_pattern: 'o' };
  expect(resolveDependency(decoded, { type: 'github', value })).toEqual({
    type: 'github',
    value: { repo_address: '', repo: '', release: '', packages: '' },
  });
});

test('dependencies of unknown types are skipped with a warning', () => {
  const manifest = MANIFEST.replace('[]', '[{type: ftp, value: {x: y}}, {type: package, value: {path: 0123}}]');
  const bundle = bundleFromFiles(files(manifest));
  expect(bundle.manifest.dependencies).toEqual([{ type: 'package', value: { path: '0123' } }]);
  expect(bundle.warnings.map((one) => one.message)).toEqual(['a dependency of the unknown type "ftp" is skipped']);
});

test.each([
  ['no zip', Buffer.from('x'), 'zip: not a valid zip file\nfailed to decode bundle'],
  ['no manifest', pack({ a: 'b' }), 'open manifest.yaml: file does not exist\nfailed to decode bundle'],
  [
    'a dependency of a wrong shape',
    pack({ 'manifest.yaml': MANIFEST.replace('[]', '[{type: package, value: text}]') }),
    /cannot unmarshal !!str `text` into .*PackageDependency\nfailed to decode bundle$/,
  ],
])('an upload with %s is refused', (_, bytes, text) => {
  expect(() => decodeBundle(bytes)).toThrow(text);
});

test('limits hold for what a bundle unpacks to', () => {
  expect(() =>
    decodeBundle(pack({ 'manifest.yaml': MANIFEST, '_assets/x': 'y'.repeat(999) }), { maxUnpackedBytes: 999 }),
  ).toThrow(/^bundle package size is too large, please ensure the uncompressed size is less than 999 bytes/);
  const bundle = withPackage(bundleFromFiles(files()), pack(toolPlugin()));
  const decoded = decodeBundle(writeBundle(bundle));
  const [dependency] = decoded.manifest.dependencies;
  if (dependency === undefined) throw new Error('no dependency');
  expect(() => resolveDependency(decoded, dependency, { maxUnpackedBytes: 10 })).toThrow(
    /^failed to create package decoder\nplugin package size is too large/,
  );
});

const embed = (content: Uint8Array) => {
  const manifest = MANIFEST.replace('[]', '[{type: package, value: {path: p}}]');
  const decoded = decodeBundle(pack({ 'manifest.yaml': manifest, '_assets/p': content }));
  const [dependency] = decoded.manifest.dependencies;
  if (dependency === undefined) throw new Error('no dependency');
  return () => resolveDependency(decoded, dependency);
};

test('a bad package inside names the step that failed', () => {
  const manifest = (from: string, to: string) => pack(edit(toolPlugin(), 'manifest.yaml', from, to));
  expect(embed(Buffer.from('x'))).toThrow(/^failed to create package decoder\ndifypkg: not a valid difypkg file$/);
  expect(embed(manifest('author: studio', 'author: Studio'))).toThrow(
    /^failed to get package unique identifier\nplugin_unique/,
  );
  expect(embed(manifest('{tools: [provider/lamp.yaml]}', '{}'))).toThrow(
    /^failed to decode package\nat least one of .*\nillegal plugin manifest$/,
  );
  const uuid = manifest('author: studio', 'author: 00000000-0000-4000-8000-000000000001');
  expect(embed(uuid)()).toMatchObject({ type: 'package' });
  const missing = decodeBundle(pack({ 'manifest.yaml': MANIFEST }));
  expect(() => resolveDependency(missing, { type: 'package', value: { path: 'p' } })).toThrow(
    'failed to fetch package from bundle\nasset not found',
  );
});

test('removing a package removes its file, unless another entry uses it', () => {
  const bytes = pack(toolPlugin());
  const twice = withPackage(withPackage(bundleFromFiles(files()), bytes), bytes);
  const once = withoutDependency(twice, 0);
  expect(once.assets.size).toBe(2);
  expect(withoutDependency(once, 0).assets.size).toBe(1);
  expect(() => withoutDependency(once, 1)).toThrow('index out of bounds');
  expect(() => withPackage(once, Buffer.from('x'))).toThrow(/\nplease provide a valid difypkg file$/);
});

test.each([
  'o/r:1.0.0/x',
  'o/r:1.0.1-beta/x',
  'o/r:1.x.x/x',
  'o/r:1.X.2/x',
  'o/r:~1.0.0/x',
  'o/r:^1.0.0/x',
  'o/r:1.0.0-2.0.0/x',
])('%s is a pattern', (pattern) => {
  expect(githubDependency(pattern).value).toEqual({ repo_pattern: pattern });
  expect(marketplaceDependency(pattern.slice(0, -2)).type).toBe('marketplace');
});

test.each([
  'o/r:1.0/x',
  'o/r:1.0.0.1/x',
  'O/r:1.0.0/x',
  'o/r:1.0.0/',
  'o/r:1.0.0-/x',
  `o/r:1.0.0-${'a'.repeat(17)}/x`,
  'o/r/1.0.0/x',
])('%s is none', (pattern) => {
  expect(() => githubDependency(pattern)).toThrow('invalid github repo pattern');
});

test.each(['o/r:1.0', 'O/r:1.0.0', 'o/r', 'o/r:1.0.0/x', ''])('%j is no marketplace pattern', (pattern) => {
  expect(() => marketplaceDependency(pattern)).toThrow('invalid marketplace pattern');
});

test('a plugin is no bundle of nothing', () => {
  expect(() => decodeBundle(pack(toolPlugin()))).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/^this is a plugin, not a bundle\n/),
      remedy: expect.stringContaining('as a package'),
    }),
  );
});
