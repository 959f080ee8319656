import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPackage, readBundle, writeZip } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';

async function newBundle(): Promise<{ parent: string; path: string; plugin: string }> {
  const parent = temporaryFolder();
  const made = await dify(
    ['bundle', 'init', '--name', 'starter', '--author', 'acme', '--description', 'A "bundle": of things'],
    { cwd: parent },
  );
  expect(made.error).toBeUndefined();
  await newPlugin(parent);
  await dify(['plugin', 'package', join(parent, 'demo')], { cwd: parent });
  return { parent, path: join(parent, 'starter'), plugin: join(parent, 'demo.difypkg') };
}

const ok = async (...argv: string[]): Promise<void> => expect((await dify(argv)).error, argv.join(' ')).toBeUndefined();

test('a new bundle has manifest, readme and icon', async () => {
  const { path } = await newBundle();
  expect(readdirSync(path).sort()).toEqual(['.github', 'README.md', '_assets', 'manifest.yaml']);
  expect((await dify(['bundle', 'validate', path])).exit).toBe(0);
  expect((await dify(['bundle', 'init', '--name', 'starter'], { cwd: join(path, '..') })).exit).toBe(2);
});

test.each(['folder', 'file'])('dependencies are added, shown and removed in a %s', async (kind) => {
  const { parent, path, plugin } = await newBundle();
  let bundle = path;
  if (kind === 'file') {
    bundle = join(parent, 'starter.difybndl');
    await dify(['bundle', 'package', path], { cwd: parent });
  }
  await ok('bundle', 'append', 'github', bundle, '--repo-pattern', 'acme/weather:1.x.x/weather.difypkg');
  await ok('bundle', 'append', 'marketplace', bundle, '-m', 'acme/tool:^1.2.0');
  await ok('bundle', 'append', 'package', bundle, '-p', plugin);
  await ok('bundle', 'append', 'package', bundle, '-p', plugin);
  const seen = await dify(['bundle', 'analyze', bundle]);
  expect(seen.outcome?.data?.dependencies).toMatchObject([
    { type: 'github', repo: 'https://github.com/acme/weather', release: '1.x.x', asset: 'weather.difypkg' },
    { type: 'marketplace', organization: 'acme', plugin: 'tool', version: '^1.2.0' },
    { type: 'package', found: true },
    { type: 'package', found: true },
  ]);
  expect((await dify(['bundle', 'validate', bundle])).exit).toBe(0);
  const assets = async (): Promise<number> => {
    const output = join(parent, 'look.difybndl');
    await dify(['bundle', 'package', bundle, '-o', output], { cwd: parent });
    return readBundle(readFileSync(output)).assets.size;
  };
  expect(await assets()).toBe(2);
  await ok('bundle', 'remove', bundle, '-i', '3');
  expect(await assets()).toBe(2);
  await ok('bundle', 'remove', bundle, '-i', '2');
  expect(await assets()).toBe(1);
  await ok('bundle', 'bump', bundle, '-t', '0.0.2');
  expect((await dify(['bundle', 'analyze', bundle])).outcome?.data).toMatchObject({
    version: '0.0.2',
    dependencies: [{ index: 0 }, { index: 1 }],
  });
});

test('comments, order and unknown keys of the manifest stay', async () => {
  const { path } = await newBundle();
  const file = join(path, 'manifest.yaml');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('name:', '# mine\nname:').replace('tags: []', 'note: kept\ntags: []'),
  );
  await ok('bundle', 'append', 'marketplace', path, '-m', 'acme/tool:1.0.0');
  await ok('bundle', 'regenerate', path, '--name', 'other', '--author', 'acme', '--description', 'x');
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^# mine\nname: other\n/);
  expect(text).toContain('note: kept');
  expect(text).toContain(
    'dependencies:\n  - type: marketplace\n    value:\n      marketplace_pattern: acme/tool:1.0.0',
  );
});

test.each([
  'o/r:1.0.0/x.difypkg',
  'o/r:1.0.1-beta/x.difypkg',
  'o/r:1.X.2/x.difypkg',
  'o/r:~1.0.0/x.difypkg',
  'o/r:1.0.0-2.0.0/x.difypkg',
])('%s is a pattern', async (pattern) => {
  const { path } = await newBundle();
  await ok('bundle', 'append', 'github', path, '-r', pattern);
});

test.each(['o/r:1.0/x', 'o/r:1.0.0.1/x', 'O/r:1.0.0/x', 'o/r:1.0.0/', 'o/r:1.0.0-/x', '/r:1.0.0/x'])(
  '%s is none',
  async (pattern) => {
    const { path } = await newBundle();
    const before = readFileSync(join(path, 'manifest.yaml'), 'utf8');
    expect(await dify(['bundle', 'append', 'github', path, '-r', pattern])).toMatchObject({
      exit: 2,
      error: { code: 'invalid-pattern' },
    });
    expect(readFileSync(join(path, 'manifest.yaml'), 'utf8')).toBe(before);
  },
);

test('equal bundles give equal bytes; default name and refusal to replace itself', async () => {
  const { parent, path, plugin } = await newBundle();
  await ok('bundle', 'append', 'package', path, '-p', plugin);
  const first = await dify(['bundle', 'package', path], { cwd: parent });
  expect(first.outcome?.text).toBe('starter.difybndl');
  await dify(['bundle', 'package', path, '-o', 'again.difybndl'], { cwd: parent });
  expect(readFileSync(join(parent, 'again.difybndl')).equals(readFileSync(join(parent, 'starter.difybndl')))).toBe(
    true,
  );
  expect((await dify(['bundle', 'package', join(parent, 'starter.difybndl')], { cwd: parent })).exit).toBe(2);
});

test('what is wrong with a bundle is said', async () => {
  const { parent, path, plugin } = await newBundle();
  expect((await dify(['bundle', 'remove', path, '-i', '5'])).error?.message).toContain('index out of bounds');
  expect((await dify(['bundle', 'remove', path, '-i', 'x'])).exit).toBe(2);
  expect((await dify(['bundle', 'bump', path, '-t', '1'])).exit).toBe(2);
  expect((await dify(['bundle', 'analyze', parent])).error?.code).toBe('invalid-bundle');
  writeFileSync(join(parent, 'no.difypkg'), 'no');
  expect(
    (await dify(['bundle', 'append', 'package', path, '-p', join(parent, 'no.difypkg')])).error?.message,
  ).toContain('please provide a valid difypkg file');
  await ok('bundle', 'append', 'package', path, '-p', plugin);
  const [asset] = readdirSync(join(path, '_assets')).filter((name) => name !== 'icon.svg');
  writeFileSync(join(path, '_assets', asset ?? ''), readFileSync(plugin).subarray(10));
  expect((await dify(['bundle', 'validate', path])).exit).toBe(3);
});

test('a bundle file with names that lead out is refused', async () => {
  const parent = temporaryFolder();
  const file = join(parent, 'evil.difybndl');
  writeFileSync(
    file,
    writeZip([
      { name: 'manifest.yaml', content: Buffer.from('name: x') },
      { name: '_assets/../../evil', content: Buffer.from('x') },
    ]),
  );
  expect(await dify(['bundle', 'bump', file, '-t', '1.0.0'])).toMatchObject({
    exit: 1,
    error: { code: 'invalid-bundle' },
  });
  expect(existsSync(join(parent, '..', 'evil'))).toBe(false);
});

test('a bundle packs what belongs to it: no ignored files, no litter, nothing from outside; within a size', async () => {
  const { parent, path } = await newBundle();
  writeFileSync(join(parent, 'secret'), 'outside');
  symlinkSync(join(parent, 'secret'), join(path, '_assets', 'link'));
  writeFileSync(join(path, '_assets', '.DS_Store'), 'x');
  writeFileSync(join(path, '_assets', 'draft.svg'), 'x');
  writeFileSync(join(path, 'notes.txt'), 'x');
  writeFileSync(join(path, '.difyignore'), 'draft.*\n');
  expect((await dify(['bundle', 'package', path, '-o', 'out.difybndl'], { cwd: parent })).exit).toBe(0);
  expect(openPackage(readFileSync(join(parent, 'out.difybndl'))).names).toEqual([
    'manifest.yaml',
    '_assets/icon.svg',
    'README.md',
  ]);
  writeFileSync(join(path, '_assets', 'big'), randomBytes(1_100_000));
  const large = await dify(['bundle', 'package', path, '-o', 'large.difybndl', '--max-size', '1'], { cwd: parent });
  expect(large.error?.code).toBe('too-large');
  expect(existsSync(join(parent, 'large.difybndl'))).toBe(false);
});

test('a plugin is no bundle, in a folder or packed', async () => {
  const { parent } = await newBundle();
  for (const path of [join(parent, 'demo'), join(parent, 'demo.difypkg')])
    for (const command of ['package', 'analyze', 'validate'])
      expect(await dify(['bundle', command, path], { cwd: parent }), command).toMatchObject({
        exit: 1,
        error: { code: 'invalid-bundle', message: expect.stringContaining('is a plugin, not a bundle') },
      });
  expect(readdirSync(parent).filter((name) => name.endsWith('.difybndl'))).toEqual([]);
});
