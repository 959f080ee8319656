import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDirectory } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';

/** A manifest with what people add: comments and keys nobody else knows. */
async function commented(...flags: string[]): Promise<string> {
  const path = await newPlugin(temporaryFolder(), 'demo', ...flags);
  const file = join(path, 'manifest.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text
      .replace('version: 0.0.1', '# first\nversion: 0.0.1 # the version')
      .replace('privacy:', 'contact: me@example.com\nprivacy:'),
  );
  return path;
}

test('permissions are changed in place: comments, order and unknown keys stay', async () => {
  const path = await commented();
  const changed = await dify(['plugin', 'permission', path, '--model', 'llm,tts', '--storage', '2MB', '--tool', 'on']);
  expect(changed.error).toBeUndefined();
  const text = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  expect(text).toMatch(/^# first\nversion: 0\.0\.1 # the version\n/);
  expect(text).toContain('contact: me@example.com\nprivacy: PRIVACY.md');
  expect(openDirectory(path).assemble().declaration.resource.permission).toMatchObject({
    model: { enabled: true, llm: true, tts: true, rerank: false },
    storage: { size: 2097152 },
    tool: { enabled: true },
  });
  await dify(['plugin', 'permission', path, '--storage', '0', '--model', 'off']);
  expect(openDirectory(path).assemble().declaration.resource.permission).toEqual({ tool: { enabled: true } });
});

test('nothing to change leaves the file as it is', async () => {
  const path = await commented('--allow-tool');
  const before = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  const run = await dify(['plugin', 'permission', path, '--tool', 'on']);
  expect(run.outcome?.data).toMatchObject({ changed: false });
  expect(readFileSync(join(path, 'manifest.yaml'), 'utf8')).toBe(before);
  expect((await dify(['plugin', 'permission', path, '--show'])).outcome?.text).toContain('tool      on');
});

test.each([
  [['--storage', '5'], 2],
  [['--storage', 'much'], 2],
  [['--model', 'robots'], 2],
  [['--tool', 'perhaps'], 2],
  [[], 2],
])('permission %j is refused', async (flags, exit) => {
  const path = await commented();
  const before = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  expect((await dify(['plugin', 'permission', path, ...flags])).exit).toBe(exit);
  expect(readFileSync(join(path, 'manifest.yaml'), 'utf8')).toBe(before);
});

test('endpoints are added to a tool plugin, once', async () => {
  const path = await commented();
  expect((await dify(['plugin', 'module', 'append', 'endpoints', path])).error).toBeUndefined();
  const { declaration } = openDirectory(path).assemble();
  expect(declaration.endpoint?.endpoints).toHaveLength(1);
  expect(declaration.tool?.tools).toHaveLength(1);
  expect(declaration.resource.permission?.endpoint).toEqual({ enabled: true });
  expect(readFileSync(join(path, 'manifest.yaml'), 'utf8')).toContain('# the version');
  expect((await dify(['plugin', 'module', 'append', 'endpoints', path])).error?.message).toContain(
    'you have already declared endpoints in this plugin',
  );
  expect((await dify(['plugin', 'package', path], { cwd: temporaryFolder() })).error).toBeUndefined();
});

test('tools are added to an extension, but not beside what stands alone', async () => {
  const extension = await newPlugin(temporaryFolder(), 'demo', '--category', 'extension');
  expect((await dify(['plugin', 'module', 'append', 'tools', extension])).error).toBeUndefined();
  expect(openDirectory(extension).assemble().declaration.tool?.tools).toHaveLength(1);
  for (const category of ['llm', 'trigger', 'agent-strategy', 'datasource']) {
    const path = await newPlugin(temporaryFolder(), 'demo', '--category', category);
    const provider = readFileSync(join(path, 'provider/demo.yaml'), 'utf8');
    const refused = await dify(['plugin', 'module', 'append', 'tools', path]);
    expect(refused.error?.message, category).toContain('does not support declare tools');
    expect(readFileSync(join(path, 'provider/demo.yaml'), 'utf8')).toBe(provider);
  }
});

test('a file of the user is never overwritten by a module', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--category', 'extension');
  const before = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  mkdirSync(join(path, 'provider'));
  writeFileSync(join(path, 'provider', 'demo.py'), 'mine');
  const refused = await dify(['plugin', 'module', 'append', 'tools', path]);
  expect(refused.error).toMatchObject({ code: 'exists', file: 'provider/demo.py' });
  expect(readFileSync(join(path, 'provider', 'demo.py'), 'utf8')).toBe('mine');
  expect(readFileSync(join(path, 'manifest.yaml'), 'utf8')).toBe(before);
  expect(existsSync(join(path, 'tools'))).toBe(false);
});

test('modules and readmes are listed', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--i18n', 'zh_Hans,pt_BR');
  const modules = await dify(['plugin', 'module', 'list', path]);
  expect(modules.outcome?.text).toContain(
    '========== demo ==========\nAuthor: acme\nLabel: demo\nDescription: A demo\nParameters:\n  - Name: query\n    Type: string\n    Required: true\n    Description: A demo',
  );
  const readmes = await dify(['plugin', 'readme', 'list', path]);
  expect(readmes.outcome?.text?.split('\n').slice(0, 3).join('\n')).toMatch(
    /^language-code {3}language +available\n-+\nen_US +English +✅$/,
  );
  expect(readmes.outcome?.data).toMatchObject({
    languages: [{ code: 'en_US' }, { code: 'pt_BR' }, { code: 'zh_Hans' }],
  });
});

test('every kind of plugin lists its modules', async () => {
  for (const [category, kind] of [
    ['llm', 'model'],
    ['trigger', 'event'],
    ['datasource', 'datasource'],
    ['agent-strategy', 'agent-strategy'],
    ['extension', 'endpoint'],
  ] as const) {
    const path = await newPlugin(temporaryFolder(), 'demo', '--category', category);
    expect((await dify(['plugin', 'module', 'list', path])).outcome?.data, category).toMatchObject({
      modules: [{ kind }],
    });
  }
});

test('a package is inspected and compared', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  const seen = await dify(['plugin', 'inspect', join(parent, 'demo.difypkg')]);
  expect(seen.outcome?.text).toContain('signature    unsigned');
  expect(seen.outcome?.data).toMatchObject({ category: 'tool', modules: [{ kind: 'tool', name: 'demo' }] });
  expect((await dify(['plugin', 'inspect', path, '--diff', join(parent, 'demo.difypkg')])).exit).toBe(0);
  writeFileSync(join(path, 'new.txt'), 'x');
  writeFileSync(join(path, 'main.py'), 'changed');
  const differs = await dify(['plugin', 'inspect', join(parent, 'demo.difypkg'), '--diff', path]);
  expect(differs).toMatchObject({
    exit: 1,
    outcome: {
      data: {
        changes: [
          { path: 'main.py', change: 'changed' },
          { path: 'new.txt', change: 'added' },
        ],
      },
    },
  });
});

test.each([
  [['--category', 'tool'], 'tool'],
  [['--category', 'tool'], 'endpoint'],
  [['--category', 'extension', '--allow-endpoint'], 'endpoint'],
  [['--category', 'extension', '--allow-endpoint'], 'tool'],
  [['--category', 'agent-strategy'], 'strategy'],
  [['--category', 'datasource', '--provider-type', 'website_crawl'], 'datasource'],
  [['--category', 'datasource', '--provider-type', 'online_drive'], 'datasource'],
  [['--category', 'trigger', '--allow-endpoint'], 'event'],
  [['--category', 'llm'], 'llm'],
  [['--category', 'llm'], 'text-embedding'],
  [['--category', 'rerank'], 'speech2text'],
  [['--category', 'moderation'], 'tts'],
])('to a plugin %j a %s is added, and it stays valid', async (flags, kind) => {
  const path = await newPlugin(temporaryFolder(), 'demo', ...flags);
  const before = (await dify(['plugin', 'validate', path, '--json'])).outcome?.data;
  const added = await dify(['plugin', 'module', 'add', kind, 'second', path]);
  expect(added.error).toBeUndefined();
  expect((await dify(['plugin', 'validate', path, '--json'])).outcome?.data).toEqual(before);
  const listed = await dify(['plugin', 'module', 'list', path]);
  expect(listed.outcome?.text).toContain('second');
  const again = await dify(['plugin', 'module', 'add', kind, 'second', path]);
  expect(again.exit).toBe(1);
  expect((await dify(['plugin', 'validate', path, '--json'])).outcome?.data).toEqual(before);
});

test('modules are not added where they cannot stand, nor under bad names', async () => {
  const path = await newPlugin(temporaryFolder(), 'demo', '--category', 'llm');
  expect((await dify(['plugin', 'module', 'add', 'tool', 'second', path])).exit).toBe(1);
  expect((await dify(['plugin', 'module', 'add', 'event', 'second', path])).exit).toBe(1);
  expect((await dify(['plugin', 'module', 'add', 'robot', 'second', path])).exit).toBe(2);
  expect((await dify(['plugin', 'module', 'add', 'llm', '../second', path])).exit).toBe(2);
});
