import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDirectory, validateManifest } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';
import { openSource } from '../source/source.ts';
import { validatePlugin } from '../validate/index.ts';
import { choiceFor } from './python-choice.ts';
import { fill, yamlScalar } from './render.ts';
import { CATEGORIES, camel, parseSize } from './rules.ts';
import { createdAt } from './scaffold.ts';

const QUICK = ['plugin', 'init', '--quick', '--name', 'demo', '--author', 'acme'];

test.each([
  ['my-plugin_v2', 'MyPluginV2'],
  ['test', 'Test'],
  ['a--b__c', 'ABC'],
  ['-lead', 'Lead'],
  ['3d-print', 'Plugin3dPrint'],
  ['___', 'Plugin'],
])('%s names the class %s', (name, expected) => {
  expect(camel(name)).toBe(expected);
});

test.each([
  ['1048576', 1048576],
  ['512KB', 524288],
  ['2 MB', 2097152],
  ['1GiB', 1073741824],
  ['two', undefined],
])('size %s is %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test('values that YAML would take for something else are quoted', () => {
  for (const value of ['true', '123', 'null', 'a: b', '# x', '"', 'yes', '- x', '3.10', ''])
    expect(yamlScalar(value)).toMatch(/^"/);
  expect(yamlScalar('Weather for any city')).toBe('Weather for any city');
  expect(() => fill('{{unknown}}', {})).toThrow('unknown');
});

test('time stamps carry nanoseconds and the offset', () => {
  expect(createdAt(new Date())).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)$/);
});

test.each([...CATEGORIES])('a new %s plugin is valid, also with hostile texts', async (category) => {
  const parent = temporaryFolder();
  const description = 'It\'s a "test": of & <things>, \\n %s # 100% {{name}} — ünïcödé';
  const made = await dify(
    [
      ...QUICK,
      '--category',
      category,
      '--description',
      description,
      '--i18n',
      'zh_Hans,ja_JP,pt_BR',
      '--python',
      '3.12',
    ],
    { cwd: parent },
  );
  expect(made.error).toBeUndefined();
  const { declaration } = openDirectory(join(parent, 'demo')).assemble();
  validateManifest(declaration);
  expect(declaration).toMatchObject({
    author: 'acme',
    name: 'demo',
    description: { en_US: description, pt_BR: description },
  });
  const findings = await validatePlugin(await openSource(join(parent, 'demo'), new AbortController().signal), {
    marketplace: false,
  });
  expect(findings.filter((finding) => finding.rule !== 'icon/template')).toEqual([]);
  for (const file of [
    'README.md',
    '.env.example',
    'PRIVACY.md',
    'GUIDE.md',
    'main.py',
    '.github/workflows/plugin-publish.yml',
    '.difyignore',
    '.gitignore',
    'readme/README_ja_JP.md',
  ]) {
    expect(existsSync(join(parent, 'demo', file)), file).toBe(true);
  }
  for (const file of ['.difyignore', '.gitignore'])
    expect(readFileSync(join(parent, 'demo', file), 'utf8')).not.toMatch(/^uv\.lock$/m);
});

test('the Python a plugin asks for goes through manifest and dependencies', async () => {
  const parent = temporaryFolder();
  const made = await dify([...QUICK, '--description', 'x', '--python', '3.11'], { cwd: parent });
  expect(made.outcome?.data).toMatchObject({ python: '3.11' });
  const path = join(parent, 'demo');
  expect(openDirectory(path).assemble().declaration.meta.runner.version).toBe('3.11');
  expect(readFileSync(join(path, 'pyproject.toml'), 'utf8')).toMatch(
    /requires-python = ">=3\.11"\ndependencies = \["dify-plugin>=0\.7\.0,<0\.11\.0"\]/,
  );
  expect(readFileSync(join(path, 'requirements.txt'), 'utf8')).toBe('dify_plugin>=0.7.0,<0.11.0\n');
  const findings = await validatePlugin(await openSource(path, new AbortController().signal), { marketplace: false });
  expect(new Set(findings.map((finding) => finding.rule))).toEqual(
    new Set(['icon/template', 'dependencies/sdk-version']),
  );
  expect((await dify([...QUICK, '--description', 'x', '--python', '3.9'], { cwd: parent })).exit).toBe(2);
});

test('the Python of a new plugin fits this machine, and a missing one is said before anything fails', () => {
  expect([undefined, '3.11', '3.12'].map((asked) => choiceFor(asked, 13).python)).toEqual(['3.12', '3.11', '3.12']);
  expect(choiceFor(undefined, 13).hint).toBeUndefined();
  expect(choiceFor(undefined, 11)).toMatchObject({ python: '3.11', hint: expect.stringContaining('newest here') });
  expect(choiceFor('3.11', 11)).toEqual({ python: '3.11' });
  expect(choiceFor('3.12', 11).hint).toContain('Python 3.12 is not on this machine');
  expect(choiceFor(undefined, 0)).toMatchObject({
    python: '3.12',
    hint: expect.stringContaining('install Python 3.12'),
  });
});

test.each(['123', 'true', 'null', 'a--b', '-x-', '0'])('a plugin named %s keeps its name', async (name) => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent, name === '-x-' ? '_x_' : name);
  const { declaration } = openDirectory(path).assemble();
  expect(declaration.name).toBe(name === '-x-' ? '_x_' : name);
  expect(declaration.tool?.tools[0]?.identity.name).toBe(declaration.name);
});

test('permissions come from flags', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(
    parent,
    'demo',
    '--allow-tool',
    '--allow-llm',
    '--allow-app',
    '--allow-node',
    '--allow-endpoint',
    '--storage-size',
    '2MB',
    '--min-dify-version',
    '1.9.0',
    '--repo',
    'https://github.com/acme/demo',
  );
  const { declaration } = openDirectory(path).assemble();
  expect(declaration.resource.permission).toEqual({
    tool: { enabled: true },
    model: {
      enabled: true,
      llm: true,
      text_embedding: false,
      rerank: false,
      tts: false,
      speech2text: false,
      moderation: false,
    },
    node: { enabled: true },
    endpoint: { enabled: true },
    app: { enabled: true },
    storage: { enabled: true, size: 2097152 },
  });
  expect(declaration.meta.minimum_dify_version).toBe('1.9.0');
  expect(declaration.repo).toBe('https://github.com/acme/demo');
});

test('agent strategies may call tools and models unless told otherwise', async () => {
  const { declaration } = openDirectory(
    await newPlugin(temporaryFolder(), 'demo', '--category', 'agent-strategy'),
  ).assemble();
  expect(declaration.resource.permission).toMatchObject({
    tool: { enabled: true },
    model: { enabled: true, llm: true },
  });
});

test.each([
  [['--name', 'Bad', '--author', 'acme', '--description', 'x'], 'plugin name must be'],
  [['--name', 'demo', '--author', 'Acme', '--description', 'x'], 'author name must be'],
  [['--name', 'demo', '--author', 'acme', '--description', ''], 'description cannot be empty'],
  [['--name', 'demo', '--author', 'acme', '--description', 'x', '--category', 'robot'], 'invalid category'],
  [['--name', 'demo', '--author', 'acme', '--description', 'x', '--language', 'go'], 'invalid language'],
  [
    ['--name', 'demo', '--author', 'acme', '--description', 'x', '--min-dify-version', 'one'],
    'Invalid minimal Dify version',
  ],
  [['--name', 'demo', '--author', 'acme', '--description', 'x', '--storage-size', '5'], 'storage size must be'],
])('%j creates nothing', async (flags, message) => {
  const parent = temporaryFolder();
  const made = await dify(['plugin', 'init', '--quick', ...flags], { cwd: parent });
  expect(made.exit).toBe(2);
  expect(made.error?.message).toContain(message);
  expect(readdirSync(parent)).toEqual([]);
});

test('without a terminal the missing flags are named', async () => {
  const made = await dify(['plugin', 'init', '--name', 'demo'], { cwd: temporaryFolder() });
  expect(made).toMatchObject({ exit: 2 });
  expect(made.error?.message).toContain('--author, --description are missing');
});

test('an existing folder is refused and stays; --force keeps files of other names', async () => {
  const parent = temporaryFolder();
  mkdirSync(join(parent, 'demo'));
  writeFileSync(join(parent, 'demo', 'mine.txt'), 'mine');
  const refused = await dify([...QUICK, '--description', 'x'], { cwd: parent });
  expect(refused.error?.code).toBe('exists');
  expect(readdirSync(join(parent, 'demo'))).toEqual(['mine.txt']);
  const forced = await dify([...QUICK, '--description', 'x', '--force'], { cwd: parent });
  expect(forced.error).toBeUndefined();
  expect(readFileSync(join(parent, 'demo', 'mine.txt'), 'utf8')).toBe('mine');
});

test('an interrupted init leaves nothing', async () => {
  const parent = temporaryFolder();
  const made = await dify([...QUICK, '--description', 'x'], { cwd: parent, signal: AbortSignal.abort() });
  expect(made.exit).toBe(130);
  expect(readdirSync(parent)).toEqual([]);
});
