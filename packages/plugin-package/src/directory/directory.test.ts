import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openArchive } from '../archive/index.ts';
import { compileGlob } from '../declaration/index.ts';
import { decodePackage } from '../package.ts';
import { agentPlugin, edit, type Files, modelPlugin, toolPlugin, without } from '../testing/examples.ts';
import { parseIgnoreFile } from './ignore.ts';
import { exportRequirements, packDirectory } from './pack.ts';
import { openDirectory } from './plugin-directory.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plugin-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function lay(files: Files): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

const namesIn = (bytes: Uint8Array) => openArchive(bytes).names;

test('a packed directory has the declaration and checksum of the directory', () => {
  const directory = openDirectory(lay(modelPlugin()));
  const bytes = packDirectory(root);
  const { declaration, identifier } = decodePackage(bytes);
  expect(declaration).toEqual(directory.assemble().declaration);
  expect(identifier.checksum).toBe(directory.checksum());
  expect(namesIn(bytes)).toEqual([...namesIn(bytes)].sort());
  expect(packDirectory(root)).toEqual(bytes);
});

test.each<[pattern: string, ignored: string[], kept: string[]]>([
  ['*.log', ['top.log', 'a/b/f.log'], ['top.logs']],
  ['build/', ['build/', 'build/x', 'x/build/'], ['build', 'x/build']],
  ['/notes.md', ['notes.md'], ['x/notes.md']],
  ['logs/**', ['logs/', 'logs/a/b'], ['x/logs/a']],
  ['**/tmp', ['tmp', 'a/b/tmp', 'a/tmp/c'], ['a/tmpx']],
  ['docs/*.md', ['docs/a.md', 'docs/a.md/x'], ['docs/x/a.md', 'a.md']],
  ['a**b/c', [], ['a**b/c', 'axb/c']],
  ['[a-c]x', ['bx'], ['dx']],
  ['[^a-c]x', ['dx'], ['bx']],
  ['[z', [], ['[z', 'z']],
  ['\\#hash', ['#hash'], ['\\#hash']],
  ['# comment', [], ['# comment']],
  ['!keep.log', [], ['keep.log']],
  ['  spaced.txt \r', ['spaced.txt'], ['  spaced.txt ']],
  ['**', ['anything'], []],
])('the ignore pattern %j', (pattern, ignored, kept) => {
  const rule = parseIgnoreFile(`\n${pattern}\n`);
  const test = (path: string) => rule(path.split('/').filter(Boolean), path.endsWith('/'));
  expect(ignored.filter((path) => !test(path))).toEqual([]);
  expect(kept.filter(test)).toEqual([]);
});

test('a negated pattern never takes anything back in', () => {
  const rule = parseIgnoreFile('*.log\n!keep.log');
  expect(rule(['keep.log'], false)).toBe(true);
});

test('.difyignore comes instead of .gitignore, and nothing ships .git', () => {
  lay({
    ...toolPlugin(),
    '.gitignore': 'main.py',
    'a.tmp': '',
    '.git/config': '',
    '.venv/x': '',
    'p/__pycache__/y': '',
  });
  expect(namesIn(packDirectory(root))).not.toContain('main.py');
  writeFileSync(join(root, '.difyignore'), '*.tmp');
  const names = namesIn(packDirectory(root));
  expect(names).toContain('main.py');
  expect(names.filter((name) => /tmp|\.git\/|venv|pycache/.test(name))).toEqual([]);
  expect(openDirectory(root).alwaysIgnored).toEqual(['.git/', '.venv/', 'p/__pycache__/']);
});

test('links are packed as files, except those that lead out of the plugin', () => {
  lay(toolPlugin());
  symlinkSync('main.py', join(root, 'linked.py'));
  expect(namesIn(packDirectory(root))).toContain('linked.py');
  symlinkSync('/etc/hostname', join(root, 'secret'));
  expect(() => packDirectory(root)).toThrow("open secret: leads out of the plugin's directory");
  rmSync(join(root, 'secret'));
  symlinkSync('tools', join(root, 'folder'));
  expect(() => packDirectory(root)).toThrow('read folder: is a directory');
});

test('ignore files may be shared by links', () => {
  lay({ ...toolPlugin(), 'extra.tmp': '' });
  const shared = mkdtempSync(join(tmpdir(), 'shared-'));
  writeFileSync(join(shared, 'ignore'), '*.tmp');
  symlinkSync(join(shared, 'ignore'), join(root, '.difyignore'));
  const names = namesIn(packDirectory(root));
  expect([names.includes('.difyignore'), names.includes('extra.tmp')]).toEqual([true, false]);
  rmSync(shared, { recursive: true });
});

const K = (path: string, rule: string) =>
  `Key: 'PluginDeclaration.PluginDeclarationWithoutAdvancedFields.${path}' Error:Field validation for '${path.split('.').at(-1)}' failed on the '${rule}' tag`;

test.each<[string, Files, string | RegExp]>([
  [
    'a field rule',
    edit(toolPlugin(), 'manifest.yaml', 'memory: 1048576', 'memory: 0'),
    K('Resource.Memory', 'required'),
  ],
  [
    'several field rules',
    edit(edit(toolPlugin(), 'manifest.yaml', 'icon: icon.svg', 'icon: ""'), 'manifest.yaml', '1.2.3', '1.2'),
    `${K('Version', 'version')}\n${K('Icon', 'required')}`,
  ],
  [
    'a missing icon',
    edit(toolPlugin(), 'manifest.yaml', 'icon.svg', 'no.svg'),
    'plugin icon not found\nassets invalid',
  ],
  [
    'a missing tool icon',
    edit(toolPlugin(), 'provider/lamp.yaml', 'icon.svg', 'no.svg'),
    'tool icon not found\nassets invalid',
  ],
  [
    'a missing agent icon',
    edit(agentPlugin(), 'provider/scout.yaml', 'icon.svg', 'no.svg'),
    'agent icon not found\nassets invalid',
  ],
  [
    'no assets',
    without(toolPlugin(), '_assets/icon.svg'),
    /_assets: no such file or directory\nfailed to get assets\nassets invalid$/,
  ],
  ['an upper-case author', edit(toolPlugin(), 'manifest.yaml', 'author: studio', 'author: Studio'), /^author must be/],
  [
    'a missing file',
    without(toolPlugin(), 'tools/dim.yaml'),
    'open tools/dim.yaml: no such file or directory\nfailed to read tool file: tools/dim.yaml',
  ],
])('packing fails for %s', (_, files, text) => {
  lay(files);
  expect(() => packDirectory(root)).toThrow(
    typeof text === 'string' ? expect.objectContaining({ message: text }) : text,
  );
});

test('what an upload would refuse may be packed on demand', () => {
  lay(edit(toolPlugin(), 'manifest.yaml', 'author: studio', 'author: Studio'));
  expect(packDirectory(root, { strict: false }).length).toBeGreaterThan(0);
});

test('a package that is too large names its largest files', () => {
  lay({ ...toolPlugin(), 'main.py': 'x'.repeat(500), 'a.txt': 'y'.repeat(600) });
  expect(() => packDirectory(root, { maxUnpackedBytes: 1200 })).toThrow(
    /^Plugin package size is too large\. Please ensure the uncompressed size is less than 1200 bytes\.\nPackaged file info:\n1\. name: a\.txt, size: 600 bytes\n/,
  );
});

test('requirements are exported for a locked project that has none', () => {
  lay({ ...without(toolPlugin(), 'requirements.txt'), 'pyproject.toml': '', 'uv.lock': '' });
  const bytes = packDirectory(root, { exportRequirements: () => Buffer.from('dify_plugin==1\n') });
  expect(Buffer.from(openArchive(bytes).read('requirements.txt')).toString()).toBe('dify_plugin==1\n');
  rmSync(join(root, 'uv.lock'));
  expect(namesIn(packDirectory(root))).not.toContain('requirements.txt');
});

test('a uv that is missing or fails is an error with its reason', () => {
  expect(() => exportRequirements(root, join(root, 'no-uv'))).toThrow(
    /^failed to find uv executable for exporting requirements.txt: /,
  );
  writeFileSync(join(root, 'uv'), '#!/bin/sh\necho " no lock file " >&2\nexit 2\n');
  chmodSync(join(root, 'uv'), 0o755);
  expect(() => exportRequirements(root, join(root, 'uv'))).toThrow(/^uv export failed: no lock file$/);
});

test('what is no directory is not opened', () => {
  expect(() => openDirectory(join(root, 'nowhere'))).toThrow('not a directory');
});

test.each([
  ['models/*.yaml', 'models/a.yaml', true],
  ['models/*.yaml', 'models/x/a.yaml', false],
  ['m?dels/a', 'models/a', true],
  ['m?dels', 'm/dels', false],
  ['a{b,c}', 'ab', false],
  ['**', 'a/b', false],
  ['[^x]/a', '//a', true],
  ['*a*b', 'xaxbab', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['', '', true],
])('the glob %s on %s', (glob, path, matched) => {
  expect(compileGlob(glob)(path)).toBe(matched);
});

test('a hostile glob takes no time', () => {
  expect(compileGlob(`${'*a'.repeat(200)}b`)('a'.repeat(1000))).toBe(false);
});
