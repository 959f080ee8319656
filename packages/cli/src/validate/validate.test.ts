import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';
import { readFolder } from '../source/folder.ts';
import { openSource } from '../source/source.ts';
import type { Finding } from './finding.ts';
import { validatePlugin } from './index.ts';
import { schemaFiles } from './schemas.ts';

async function findingsOf(path: string, marketplace = false): Promise<Finding[]> {
  return validatePlugin(await openSource(path, new AbortController().signal), { marketplace });
}

function edit(path: string, file: string, change: (text: string) => string): void {
  const before = readFileSync(join(path, file), 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(join(path, file), after);
}

interface Case {
  name: string;
  category?: string;
  file: string;
  change: (text: string) => string;
  /** What is found, in part. */
  found: Partial<Finding>;
}

const CASES: readonly Case[] = [
  {
    name: 'syntax',
    file: 'tools/demo.yaml',
    change: (text) => text.replace('identity:', 'identity: ['),
    found: { rule: 'yaml/syntax', file: 'tools/demo.yaml', severity: 'error' },
  },
  {
    name: 'a repeated key',
    file: 'tools/demo.yaml',
    change: (text) => `${text}\ndescription: {}\n`,
    found: { rule: 'yaml/duplicate-key', file: 'tools/demo.yaml' },
  },
  {
    name: 'a wrong type',
    file: 'tools/demo.yaml',
    change: (text) => text.replace(/^parameters:$/m, 'parameters: yes\nx:'),
    found: { rule: 'yaml/type', file: 'tools/demo.yaml', message: '"yes" stands where a list is expected' },
  },
  {
    name: 'a parameter type',
    file: 'tools/demo.yaml',
    change: (text) => text.replace('type: string', 'type: strin'),
    found: { rule: 'field/tool_parameter_type', line: 18, column: 11 },
  },
  {
    name: 'a missing label',
    file: 'tools/demo.yaml',
    change: (text) => text.replace(/ {4}label:\n {6}en_US: Query string\n/, '    label:\n'),
    found: { rule: 'field/required', message: 'parameters[0].label.en_US is missing or empty' },
  },
  {
    name: 'an option that is no option',
    file: 'tools/demo.yaml',
    change: (text) =>
      text.replace(
        'type: string',
        'type: select\n    default: c\n    options:\n      - value: a\n        label: {en_US: A}',
      ),
    found: { rule: 'parameter/default' },
  },
  {
    name: 'a select without options',
    file: 'tools/demo.yaml',
    change: (text) => text.replace('type: string', 'type: select'),
    found: { rule: 'parameter/options' },
  },
  {
    name: 'a missing provider',
    file: 'manifest.yaml',
    change: (text) => text.replace('provider/demo.yaml', 'provider/none.yaml'),
    found: { rule: 'file/missing', file: 'manifest.yaml', message: 'provider/none.yaml does not exist in the package' },
  },
  {
    name: 'a missing tool',
    file: 'provider/demo.yaml',
    change: (text) => text.replace('tools/demo.yaml', './tools/demo.yaml'),
    found: {
      rule: 'file/missing',
      file: 'provider/demo.yaml',
      remedy: 'paths are relative to the root of the plugin, without ./ or ../',
    },
  },
  {
    name: 'a missing source',
    file: 'tools/demo.yaml',
    change: (text) => text.replace('tools/demo.py', 'tools/none.py'),
    found: { rule: 'python/source', file: 'tools/demo.yaml' },
  },
  {
    name: 'a source without a class',
    file: 'tools/demo.py',
    change: () => 'x = 1\n',
    found: { rule: 'python/class', file: 'tools/demo.yaml', severity: 'error' },
  },
  {
    name: 'two classes',
    file: 'tools/demo.py',
    change: (text) => `${text}\n\nclass Other(Tool):\n    pass\n`,
    found: { rule: 'python/class', message: 'tools/demo.py has 2 subclasses of Tool: DemoTool, Other' },
  },
  {
    name: 'a missing icon',
    file: 'provider/demo.yaml',
    change: (text) => text.replace('icon: icon.svg', 'icon: none.svg'),
    found: { rule: 'icon/missing', file: 'provider/demo.yaml', line: 14 },
  },
  {
    name: 'an author',
    file: 'manifest.yaml',
    change: (text) => text.replace('author: acme', 'author: Acme'),
    found: { rule: 'manifest/author', line: 3 },
  },
  {
    name: 'a version',
    file: 'manifest.yaml',
    change: (text) => text.replace('version: 0.0.1', 'version: 1.0'),
    found: { file: 'manifest.yaml', line: 1, severity: 'error' },
  },
  {
    name: 'a tag',
    file: 'manifest.yaml',
    change: (text) => `${text}\ntags: [fun]\n`,
    found: { file: 'manifest.yaml', rule: 'field/plugin_tag' },
  },
  {
    name: 'storage',
    file: 'manifest.yaml',
    change: (text) => text.replace('permission: {}', 'permission: {storage: {enabled: true, size: 5}}'),
    found: { rule: 'field/min', message: 'resource.permission.storage.size must be at least 1024' },
  },
  {
    name: 'an entrypoint',
    file: 'manifest.yaml',
    change: (text) => text.replace('entrypoint: main', 'entrypoint: app.start'),
    found: { rule: 'runner/entrypoint' },
  },
  {
    name: 'a forbidden combination',
    file: 'manifest.yaml',
    change: (text) =>
      text.replace(
        /^meta:/m,
        'trigger:\n  identity: {author: a, name: b, icon: icon.svg, label: {en_US: x}, description: {en_US: x}}\n  subscription_schema: []\n  events: []\nmeta:',
      ),
    found: { rule: 'manifest/combination' },
  },
  {
    name: 'a permission that is not there',
    file: 'tools/demo.py',
    change: (text) => text.replace('query =', 'self.session.storage.get("x")\n        query ='),
    found: { rule: 'permission/undeclared', file: 'tools/demo.py', severity: 'warning' },
  },
  { name: 'no SDK', file: 'requirements.txt', change: () => 'requests==2.0\n', found: { rule: 'dependencies/sdk' } },
  {
    name: 'an old SDK',
    file: 'requirements.txt',
    change: () => 'dify_plugin>=0.4\n',
    found: { rule: 'dependencies/sdk-version', line: 1 },
  },
  {
    name: 'lists that differ',
    file: 'requirements.txt',
    change: (text) => `${text}requests==2.0\n`,
    found: { rule: 'dependencies/drift', line: 2 },
  },
  {
    name: 'a template that is none',
    category: 'llm',
    file: 'models/llm/llm.yaml',
    change: (text) => text.replace('use_template: top_p', 'use_template: top_q'),
    found: { rule: 'models/unknown-template', file: 'models/llm/llm.yaml', line: 18 },
  },
  {
    name: 'a pattern without files',
    category: 'llm',
    file: 'provider/demo.yaml',
    change: (text) => text.replace('models/llm/*.yaml', 'models/none/*.yaml'),
    found: { rule: 'models/no-match', severity: 'warning' },
  },
  {
    name: 'a model type',
    category: 'llm',
    file: 'models/llm/llm.yaml',
    change: (text) => text.replace('model_type: llm', 'model_type: text2img'),
    found: { rule: 'dify/model-type', severity: 'warning' },
  },
  {
    name: 'a feature',
    category: 'llm',
    file: 'models/llm/llm.yaml',
    change: (text) => text.replace('- agent-thought', '- telepathy'),
    found: { rule: 'dify/feature', severity: 'warning' },
  },
  {
    name: 'a method',
    category: 'extension',
    file: 'endpoints/demo.yaml',
    change: (text) => text.replace('method: GET', 'method: PATCH'),
    found: { rule: 'field/is_available_endpoint_method', file: 'endpoints/demo.yaml', line: 2, column: 9 },
  },
];

test.each(CASES)('$name is found at its place', async ({ category, file, change, found }) => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--category', category ?? 'tool');
  edit(path, file, change);
  const findings = await findingsOf(path);
  expect(findings).toContainEqual(expect.objectContaining(found));
  for (const finding of findings) expect(finding.remedy, finding.rule).toBeTruthy();
});

test('all problems come at once', async () => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'manifest.yaml', (text) =>
    text.replace('author: acme', 'author: Acme').replace('type: plugin', 'type: pluggin'),
  );
  edit(path, 'tools/demo.yaml', (text) =>
    text.replace('type: string', 'type: strin').replace('tools/demo.py', 'tools/none.py'),
  );
  edit(path, 'provider/demo.yaml', (text) => text.replace('icon: icon.svg', 'icon: none.svg'));
  const rules = (await findingsOf(path))
    .filter((finding) => finding.severity === 'error')
    .map((finding) => finding.rule);
  expect(rules).toEqual(
    expect.arrayContaining([
      'manifest/author',
      'field/eq',
      'field/tool_parameter_type',
      'python/source',
      'icon/missing',
    ]),
  );
});

test('the command ends with 3 when there are errors, and says where', async () => {
  const path = await newPlugin(temporaryFolder());
  expect((await dify(['plugin', 'validate', path])).exit).toBe(0);
  expect((await dify(['plugin', 'validate', path, '--strict'])).exit).toBe(3);
  edit(path, 'tools/demo.yaml', (text) => text.replace('type: string', 'type: strin'));
  const run = await dify(['plugin', 'validate', path]);
  expect(run.exit).toBe(3);
  expect(run.outcome?.text).toContain(
    'tools/demo.yaml:18:11 error parameters[0].type: "strin" is not allowed (field/tool_parameter_type)\n    18 |     type: strin\n       |           ^',
  );
  const github = await dify(['plugin', 'validate', path, '--format', 'github']);
  expect(github.outcome?.text).toMatch(
    /^::error file=.*tools\/demo\.yaml,line=18,col=11,title=field\/tool_parameter_type::/m,
  );
  const sarif = JSON.parse((await dify(['plugin', 'validate', path, '--format', 'sarif'])).outcome?.text ?? '');
  expect(sarif.runs[0].results).toContainEqual(
    expect.objectContaining({ ruleId: 'field/tool_parameter_type', level: 'error' }),
  );
  const json = JSON.parse((await dify(['plugin', 'validate', path, '--format', 'json'])).outcome?.text ?? '');
  expect(json).toMatchObject({ ok: false, errors: 1 });
});

test('a folder that is no plugin is one finding', async () => {
  const run = await dify(['plugin', 'validate', temporaryFolder()]);
  expect(run).toMatchObject({ exit: 3, outcome: { data: { errors: 1, findings: [{ rule: 'file/missing' }] } } });
});

test('a folder that is no plugin is not walked; the plugins near it are named', async () => {
  const parent = temporaryFolder();
  await newPlugin(parent);
  // A walk reads the ignore file first, and this one cannot be read as one.
  mkdirSync(join(parent, 'far'));
  symlinkSync(join(parent, 'far', 'loop'), join(parent, 'far', 'loop'));
  symlinkSync(join(parent, 'far', 'loop'), join(parent, '.difyignore'));
  await expect(readFolder(parent, { signal: new AbortController().signal })).rejects.toThrow('ELOOP');
  const above = await dify(['plugin', 'validate', parent]);
  expect(above.outcome?.data?.findings).toMatchObject([{ remedy: expect.stringMatching(/name the folder.*demo/) }]);
  const inside = await dify(['plugin', 'validate', join(parent, 'demo', 'tools')]);
  expect(inside.outcome?.data?.findings).toMatchObject([{ remedy: expect.stringMatching(/above this folder.*demo/) }]);
});

test('a plugin that is too large to pack is told so, with its largest files', async () => {
  const path = await newPlugin(temporaryFolder());
  const big = openSync(join(path, 'model.bin'), 'w');
  ftruncateSync(big, 51 * 1024 * 1024);
  closeSync(big);
  const run = await dify(['plugin', 'validate', path]);
  expect(run.exit).toBe(3);
  expect(run.outcome?.data?.findings).toContainEqual(
    expect.objectContaining({ rule: 'package/size', message: expect.stringContaining('model.bin (51.0 MB)') }),
  );
  expect((await dify(['plugin', 'package', path], { cwd: temporaryFolder() })).error?.code).toBe('too-large');
});

test('packages are validated like folders', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  expect((await dify(['plugin', 'validate', join(parent, 'demo.difypkg')])).exit).toBe(0);
});

test('the rules of the marketplace are a matter of their own', async () => {
  const path = await newPlugin(temporaryFolder());
  writeFileSync(join(path, 'key.pem'), 'x');
  mkdirSync(join(path, 'assets'));
  edit(path, 'README.md', (text) => `${text}\n中文\n`);
  edit(path, 'requirements.txt', (text) => `${text}flask\ngit-thing @ git+https://example.com/x\n`);
  const rules = (await findingsOf(path, true))
    .filter((finding) => finding.severity === 'error')
    .map((finding) => `${finding.rule} ${finding.file}`);
  expect(rules).toEqual(
    expect.arrayContaining([
      'marketplace/required manifest.yaml',
      'marketplace/privacy PRIVACY.md',
      'marketplace/file key.pem',
      'marketplace/readme README.md',
      'marketplace/dependency requirements.txt',
      'icon/template _assets/icon.svg',
    ]),
  );
  rmSync(join(path, 'key.pem'));
  expect((await findingsOf(path)).filter((finding) => finding.rule.startsWith('marketplace/'))).toEqual([]);
});

test('a plugin that meets the marketplace has no finding', async () => {
  const path = await newPlugin(
    temporaryFolder(),
    'demo',
    '--repo',
    'https://github.com/acme/demo',
    '--min-dify-version',
    '1.9.0',
    '--python',
    '3.12',
  );
  edit(path, 'manifest.yaml', (text) => text.replace('privacy:', 'contact: me@example.com\nprivacy:'));
  edit(path, 'README.md', (text) => `${text}\nhttps://github.com/acme/demo\n`);
  writeFileSync(join(path, 'PRIVACY.md'), '# Privacy\n\nNothing is collected.\n');
  for (const icon of ['icon.svg', 'icon-dark.svg'])
    writeFileSync(join(path, '_assets', icon), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  expect(await findingsOf(path, true)).toEqual([]);
});

test('JSON Schemas are emitted for every file', async () => {
  const folder = join(temporaryFolder(), 'schemas');
  const run = await dify(['plugin', 'validate', '.', '--schemas', folder]);
  expect(run.error).toBeUndefined();
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.schema.json'), 'utf8'));
  expect(manifest.required).toEqual(
    expect.arrayContaining(['version', 'type', 'name', 'label', 'icon', 'meta', 'created_at']),
  );
  expect(manifest.properties.type).toEqual({ enum: ['plugin'] });
  const tool = JSON.parse(readFileSync(join(folder, 'tool.schema.json'), 'utf8'));
  const type = tool.properties.parameters.anyOf[0].items.properties.type;
  expect(type.enum).toContain('dynamic-select');
  expect(schemaFiles().size).toBe(14);
});

test('--fix corrects what is obvious, keeps comments, and reports the rest', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo');
  edit(path, 'tools/demo.py', (text) =>
    text.replace(
      /( +)yield /,
      '$1self.session.model.rerank\n$1self.session.storage.get("x")\n$1self.session.app.chat\n$1yield ',
    ),
  );
  edit(path, 'tools/demo.yaml', (text) =>
    text
      .replace(
        'parameters:',
        'parameters:\n  - name: deep # keep\n    type: boolean\n    form: form\n    default: "Yes"\n    label:\n      en_US: Deep\n    human_description:\n      en_US: "first\n    second line"',
      )
      .replace('type: string', 'type: strin'),
  );
  edit(path, 'provider/demo.yaml', (text) => text.replace('  icon: ', '  tags:\n    - search\n    - agent\n  icon: '));
  edit(path, 'requirements.txt', () => 'dify_plugin>=0.2.0,<0.11.0 # sdk\nhttpx==1.0\n');
  edit(path, 'pyproject.toml', (text) => text.replace(/"dify[-_]plugin[^"]*"/, '"dify-plugin==0.5.1"'));
  const before = new Set((await findingsOf(path)).map((finding) => finding.rule));
  for (const rule of [
    'permission/undeclared',
    'yaml/indentation',
    'parameter/default',
    'dify/tag',
    'dependencies/sdk-version',
    'dependencies/drift',
    'field/tool_parameter_type',
  ])
    expect(before).toContain(rule);
  const run = await dify(['plugin', 'validate', path, '--fix']);
  expect(run.exit).toBe(3);
  const after = await findingsOf(path);
  expect(after.map(({ rule, file }) => `${rule} ${file}`).toSorted()).toEqual([
    'dependencies/drift requirements.txt',
    'dependencies/sdk-version pyproject.toml',
    'field/tool_parameter_type tools/demo.yaml',
    'icon/template _assets/icon-dark.svg',
    'icon/template _assets/icon.svg',
  ]);
  expect(readFileSync(join(path, 'requirements.txt'), 'utf8')).toBe('dify_plugin>=0.9.0,<0.11.0 # sdk\nhttpx==1.0\n');
  expect(readFileSync(join(path, 'tools/demo.yaml'), 'utf8')).toContain(
    'name: deep # keep\n    type: boolean\n    form: form\n    default: true\n',
  );
  const manifest = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  expect(manifest).toMatch(/model:\n {6}enabled: true\n {6}rerank: true\n/);
  expect(manifest).toMatch(/storage:\n {6}enabled: true\n {6}size: 1048576\n/);
  await dify(['plugin', 'validate', path, '--fix']);
  expect(await findingsOf(path)).toEqual(after);
});

test('--fix writes the list of dependencies when there is none, and does not touch packages', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo');
  const packed = `${path}.difypkg`;
  await dify(['plugin', 'package', path, '-o', packed]);
  expect((await dify(['plugin', 'validate', packed, '--fix'])).exit).not.toBe(0);
  rmSync(join(path, 'requirements.txt'));
  rmSync(join(path, 'pyproject.toml'));
  expect((await dify(['plugin', 'validate', path, '--fix'])).exit).toBe(0);
  expect(readFileSync(join(path, 'requirements.txt'), 'utf8')).toContain('dify_plugin>=0.9.0');
});

const twice = (list: string) => (text: string) =>
  text.replace(list, `${list}\n  - ${list.replace(/^- /, '').replace('demo', 'second')}`);

test.each([
  [
    'tool',
    'tools/demo.yaml',
    'provider/demo.yaml',
    '- tools/demo.yaml',
    'tool demo is declared in tools/demo.yaml as well',
  ],
  ['trigger', 'events/demo_event.yaml', 'provider/demo.yaml', '- events/demo_event.yaml', 'event demo_event'],
  ['agent-strategy', 'strategies/demo.yaml', 'provider/demo.yaml', '- strategies/demo.yaml', 'agent strategy demo'],
  ['datasource', 'datasources/demo.yaml', 'provider/demo.yaml', '- datasources/demo.yaml', 'datasource demo'],
  ['extension', 'endpoints/demo.yaml', 'group/demo.yaml', '- endpoints/demo.yaml', 'endpoint GET /demo'],
])('two modules of one name in a %s plugin are an error', async (category, file, list, entry, message) => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--category', category);
  expect((await findingsOf(path)).filter((finding) => finding.rule.includes('duplicate'))).toEqual([]);
  writeFileSync(join(path, file.replace('demo', 'second')), readFileSync(join(path, file)));
  edit(path, list, twice(entry));
  expect(await findingsOf(path)).toContainEqual(
    expect.objectContaining({ severity: 'error', rule: 'module/duplicate', message: expect.stringContaining(message) }),
  );
});

test('the same file named twice, and two models of one name, are errors; of two types they may be', async () => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'provider/demo.yaml', (text) =>
    text.replace('- tools/demo.yaml', '- tools/demo.yaml\n  - tools/demo.yaml'),
  );
  expect(await findingsOf(path)).toContainEqual(expect.objectContaining({ rule: 'module/duplicate' }));
  const models = await newPlugin(temporaryFolder(), 'demo', '--category', 'llm');
  writeFileSync(join(models, 'models/llm/other.yaml'), readFileSync(join(models, 'models/llm/llm.yaml')));
  expect(await findingsOf(models)).toContainEqual(
    expect.objectContaining({ rule: 'module/duplicate', message: expect.stringContaining('of the type llm') }),
  );
});

const parameter = (lines: string) => (text: string) => text.replace('parameters:\n', `parameters:\n${lines}`);
const TOOL_PARAMETER = (type: string, more: string): string =>
  `  - name: extra\n    type: ${type}\n    form: form\n    label: {en_US: x}\n    human_description: {en_US: x}\n${more}`;

test.each([
  ['string', '    multiple: true\n', 'parameter extra of type string cannot be multiple'],
  ['file', '    multiple: yes\n', 'parameter extra of type file cannot be multiple'],
  ['dynamic-select', '    multiple: true\n    default: one\n', 'the default of extra must be a list'],
  ['dynamic-select', '    multiple: false\n    default: [one]\n', 'the default of extra must not be a list'],
])('%s with %j is an error: the SDK refuses the tool at its start', async (type, more, message) => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'tools/demo.yaml', parameter(TOOL_PARAMETER(type, more)));
  expect(await findingsOf(path)).toContainEqual(
    expect.objectContaining({ severity: 'error', rule: 'parameter/multiple', message }),
  );
});

test.each([
  '    multiple: true\n    default: [one]\n',
  '    multiple: true\n',
  '    multiple: false\n    default: one\n',
  '',
])('a dynamic-select with %j is right', async (more) => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'tools/demo.yaml', parameter(TOOL_PARAMETER('dynamic-select', more)));
  expect((await findingsOf(path)).filter((finding) => finding.rule === 'parameter/multiple')).toEqual([]);
});

test('two parameters of one name are an error', async () => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'tools/demo.yaml', parameter(`${TOOL_PARAMETER('string', '')}${TOOL_PARAMETER('number', '')}`));
  expect(await findingsOf(path)).toContainEqual(
    expect.objectContaining({ rule: 'name/duplicate', message: 'parameter extra is declared twice' }),
  );
});

test('multiple on parameters of a trigger; a secret-input among subscription parameters is what Dify refuses', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--category', 'trigger');
  const extra = (type: string, more: string): string =>
    `    - name: extra\n      type: ${type}\n      label: {en_US: x}\n${more}`;
  edit(path, 'provider/demo.yaml', (text) =>
    text.replace(
      '  parameters:\n',
      `  parameters:\n${extra('secret-input', '')}${extra('number', '      multiple: true\n').replace('extra', 'more')}`,
    ),
  );
  const found = await findingsOf(path);
  expect(found).toContainEqual(
    expect.objectContaining({
      severity: 'error',
      message: expect.stringContaining('Dify refuses a plugin with a secret-input among subscription parameters'),
      remedy: expect.stringContaining('credentials_schema'),
    }),
  );
  expect(found).toContainEqual(
    expect.objectContaining({
      rule: 'parameter/multiple',
      message: 'parameter more of type number cannot be multiple',
    }),
  );
});

test('paths and numbers of files that a daemon refuses are found, and not packed', async () => {
  const path = await newPlugin(temporaryFolder());
  const deep = Array.from({ length: 6 }, () => 'd'.repeat(200));
  mkdirSync(join(path, ...deep), { recursive: true });
  writeFileSync(join(path, ...deep, 'x.txt'), 'x');
  const finding = { severity: 'error', rule: 'package/path', message: expect.stringContaining('1211 bytes') };
  expect(await findingsOf(path)).toContainEqual(expect.objectContaining(finding));
  expect((await dify(['plugin', 'package', path], { cwd: temporaryFolder() })).error?.message).toContain('1211 bytes');
});

test('an author with capitals is named with what is wrong', async () => {
  const path = await newPlugin(temporaryFolder());
  edit(path, 'manifest.yaml', (text) => text.replace('author: acme', 'author: Acme'));
  expect(await findingsOf(path)).toContainEqual(expect.objectContaining({ rule: 'manifest/author' }));
});
