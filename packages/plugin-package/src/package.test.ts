import { expect, test } from 'vitest';
import { remapAssets } from './assets.ts';
import { PackageError } from './errors.ts';
import { decodePackage } from './package.ts';
import {
  agentPlugin,
  datasourcePlugin,
  edit,
  endpointPlugin,
  type Files,
  modelPlugin,
  pack,
  toolPlugin,
  triggerPlugin,
  without,
} from './testing/examples.ts';

function refusal(bytes: Uint8Array, options = {}): PackageError {
  try {
    decodePackage(bytes, options);
  } catch (error) {
    if (error instanceof PackageError) return error;
    throw error;
  }
  throw new Error('the package was accepted');
}

const declarationOf = (files: Files) => decodePackage(pack(files)).declaration;

test('a tool plugin becomes one declaration with every key Dify looks for', () => {
  const { declaration, identifier, verified, verification } = decodePackage(pack(toolPlugin()));
  expect(identifier.text).toMatch(/^studio\/lamp:1\.2\.3@[0-9a-f]{64}$/);
  expect({ verified, verification }).toEqual({ verified: false, verification: null });
  expect(declaration.tool).toEqual({
    identity: {
      author: 'studio',
      name: 'lamp',
      description: { en_US: 'About lamp', ja_JP: '説明' },
      icon: 'icon.svg',
      icon_dark: '',
      label: { en_US: 'Lamp' },
      tags: ['utilities'],
    },
    credentials_schema: [
      {
        name: 'key',
        type: 'secret-input',
        scope: null,
        required: true,
        default: null,
        options: null,
        multiple: false,
        label: { en_US: 'Key' },
        help: null,
        url: null,
        placeholder: null,
      },
      {
        name: 'tone',
        type: 'select',
        scope: null,
        required: false,
        default: 'warm',
        options: [
          { value: 'warm', label: { en_US: 'Warm' } },
          { value: '7', label: { en_US: 'Seven' } },
        ],
        multiple: false,
        label: { en_US: 'Tone' },
        help: null,
        url: null,
        placeholder: null,
      },
    ],
    oauth_schema: null,
    tools: [
      {
        identity: { author: 'studio', name: 'dim', label: { en_US: 'Dim' } },
        description: { human: { en_US: 'Dims a lamp' }, llm: 'dims' },
        parameters: [expect.objectContaining({ name: 'level', required: true, min: 0, max: 1.5, options: null })],
        has_runtime_parameters: false,
      },
    ],
  });
  expect(declaration).toMatchObject({
    icon_dark: '',
    tags: ['utilities', 'agent'],
    created_at: '2026-03-04T05:06:07.0809Z',
    plugins: { tools: ['provider/lamp.yaml'], models: null },
    verified: false,
  });
  expect('privacy' in declaration).toBe(false);
  expect(JSON.stringify(declaration)).toContain('"default":18446744073709551615,');
});

test('a model plugin has its templates, prices, positions and globs worked out', () => {
  const model = declarationOf(modelPlugin()).model;
  expect(model).toMatchObject({
    description: { en_US: 'About mind', ja_JP: '説明' },
    position: { llm: ['grand', 'petit'] },
    background: null,
    model_credential_schema: null,
  });
  const [grand, petit] = model?.models ?? [];
  expect(grand?.parameter_rules[0]).toMatchObject({
    use_template: 'temperature',
    label: { en_US: 'temperature' },
    type: 'float',
    default: 0,
    min: 0,
    max: 2,
    precision: 2,
    options: [],
  });
  expect(grand?.parameter_rules[0]?.help?.pt_BR).toMatch(/^A temperatura controla/);
  expect(grand?.pricing).toEqual({ input: '0.5', output: null, unit: '0.000001', currency: 'USD' });
  expect(petit).toEqual({
    model: 'petit',
    label: { en_US: 'petit' },
    model_type: 'llm',
    features: null,
    fetch_from: 'predefined-model',
    model_properties: {},
    deprecated: false,
    parameter_rules: [],
    pricing: null,
  });
});

test('endpoints written inline come before those from files', () => {
  expect(declarationOf(endpointPlugin()).endpoint?.endpoints).toEqual([
    { path: '/inline', method: 'POST', hidden: true },
    { path: '/ring/<who>', method: 'GET', hidden: false },
  ]);
});

test('agent strategies, datasources and triggers keep their own ways of being absent', () => {
  const strategy = declarationOf(agentPlugin()).agent_strategy;
  expect(strategy?.identity).toMatchObject({ description: { en_US: '' }, tags: [] });
  expect(strategy?.strategies[0]).toMatchObject({ features: [], output_schema: null });
  const datasource = declarationOf(datasourcePlugin()).datasource;
  expect(datasource?.datasources[0]).toMatchObject({ parameters: null, output_schema: { type: 'object' } });
  expect(datasource?.oauth_schema?.credentials_schema).toEqual([]);
  const trigger = declarationOf(triggerPlugin()).trigger;
  expect(trigger).toMatchObject({
    identity: { description: { en_US: 'About tide' }, tags: ['trigger'] },
    subscription_schema: [{ name: 'secret' }],
    events: [{ parameters: null }],
  });
  expect(trigger?.subscription_constructor).toEqual({
    parameters: [{ name: 'coast', label: { en_US: 'Coast' }, type: 'dynamic-select', required: false }],
    credentials_schema: [],
    oauth_schema: { client_schema: [], credentials_schema: [] },
  });
});

test('icons become asset ids, and only the icons', () => {
  const { declaration, assets } = decodePackage(pack({ ...modelPlugin(), '_assets/unused.png': 'x' }));
  const remapped = remapAssets(declaration, assets);
  const id = '9dbae4c7739b897a2b4158a08c0089b0299cb328a3efc31ceae4889b583f1f1a.svg';
  expect(remapped.declaration.icon).toBe(id);
  expect(remapped.declaration.model?.icon_small).toEqual({ en_US: id, zh_Hans: id });
  expect([...remapped.media.keys()]).toEqual([id]);
  expect(declaration.icon).toBe('icon.svg');
  expect([...assets.keys()]).toEqual(['icon.svg', 'unused.png']);
});

test('a missing icon is named with the field that wants it', () => {
  const { declaration, assets } = decodePackage(pack(edit(toolPlugin(), 'provider/lamp.yaml', 'icon.svg', 'gone.svg')));
  expect(() => remapAssets(declaration, assets)).toThrow(/^file not found: gone.svg\nfailed to remap tool icon$/);
});

const CROSS = '\nillegal plugin manifest\nfailed to decode package';

test.each<[string, Files, string | RegExp]>([
  ['no manifest', without(toolPlugin(), 'manifest.yaml'), 'open manifest.yaml: file does not exist'],
  [
    'no provider file',
    without(toolPlugin(), 'provider/lamp.yaml'),
    'open provider/lamp.yaml: file does not exist\nfailed to read tool file: provider/lamp.yaml',
  ],
  [
    'no tool file',
    without(toolPlugin(), 'tools/dim.yaml'),
    'open tools/dim.yaml: file does not exist\nfailed to read tool file: tools/dim.yaml',
  ],
  [
    'a path that is none',
    edit(toolPlugin(), 'provider/lamp.yaml', 'tools/dim.yaml', './tools/dim.yaml'),
    'open ./tools/dim.yaml: invalid argument\nfailed to read tool file: ./tools/dim.yaml',
  ],
  [
    'no position file',
    without(modelPlugin(), 'models/llm/_position.yaml'),
    'open models/llm/_position.yaml: file does not exist\nfailed to read llm position file: models/llm/_position.yaml',
  ],
  [
    'a position file that is no list',
    { ...modelPlugin(), 'models/llm/_position.yaml': 'a: b' },
    'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into []string\nfailed to unmarshal llm position file: models/llm/_position.yaml',
  ],
  [
    'an unknown template',
    edit(modelPlugin(), 'models/llm/grand.yaml', 'use_template: temperature', 'use_template: nope'),
    'use_template nope not found\nfailed to unmarshal model file: models/llm/grand.yaml',
  ],
  [
    'a price that is none',
    edit(modelPlugin(), 'models/llm/grand.yaml', "'0.50'", '1_000'),
    /^error decoding string '1_000': can't convert 1_000 to decimal\n/,
  ],
  [
    'a malformed glob',
    edit(modelPlugin(), 'provider/mind.yaml', 'models/llm/*.yaml', 'models/[.yaml'),
    'syntax error in pattern',
  ],
  [
    'an OAuth schema that is a map',
    edit(datasourcePlugin(), 'provider/shelf.yaml', '[{name: id, type: text-input, label: {en_US: Id}}]', '{id: {}}'),
    /cannot unmarshal !!map into \[\]plugin_entities.ProviderConfig\nfailed to unmarshal plugin file: provider\/shelf.yaml$/,
  ],
  [
    'a trigger credential without a mapping',
    edit(triggerPlugin(), 'provider/tide.yaml', '{type: secret-input, label: {en_US: Secret}}', 'text'),
    /^failed to parse subscription_schema: expected mapping value for key secret\n/,
  ],
  [
    'an inline endpoint that does not decode',
    edit(endpointPlugin(), 'group/bell.yaml', 'hidden: true', 'hidden: 3'),
    /line 5: cannot unmarshal !!int `3` into bool/,
  ],
  [
    'a repeated key',
    edit(toolPlugin(), 'tools/dim.yaml', 'parameters:', 'identity: {}\nparameters:'),
    /line 3: mapping key "identity" already defined at line 1/,
  ],
  [
    'an upper-case author',
    edit(toolPlugin(), 'manifest.yaml', 'author: studio', 'author: Studio'),
    /^plugin_unique_identifier is not valid: Studio\/lamp:1.2.3@[0-9a-f]{64}$/,
  ],
  [
    'a version that is none',
    edit(toolPlugin(), 'manifest.yaml', 'version: 1.2.3', 'version: one'),
    /^plugin_unique_identifier is not valid: studio\/lamp:one@/,
  ],
  [
    'a UUID as author',
    edit(toolPlugin(), 'manifest.yaml', 'author: studio', 'author: 00000000-0000-4000-8000-000000000001'),
    'cannot set author to an UUID',
  ],
  [
    'no author',
    edit(toolPlugin(), 'manifest.yaml', 'author: studio', 'author: ""'),
    `author must be alphanumeric and less than 64 characters: ^[a-z0-9_-]{1,64}$${CROSS}`,
  ],
  [
    'a name beyond 128 characters',
    edit(toolPlugin(), 'manifest.yaml', 'name: lamp', `name: ${'n'.repeat(129)}`),
    `plugin name must be alphanumeric and less than 128 characters: ^[a-z0-9_-]{1,128}$${CROSS}`,
  ],
  [
    'no category',
    edit(toolPlugin(), 'manifest.yaml', '{tools: [provider/lamp.yaml]}', '{}'),
    `at least one of endpoint, model, tool, agent_strategy, trigger, or datasource must be provided${CROSS}`,
  ],
  [
    'a model and a tool',
    {
      ...toolPlugin(),
      ...modelPlugin(),
      'manifest.yaml': String(modelPlugin()['manifest.yaml']).replace(
        '{models:',
        '{tools: [provider/lamp.yaml], models:',
      ),
    },
    `model and datasource, tool, endpoint, trigger, or agent_strategy cannot be provided at the same time${CROSS}`,
  ],
])('refuses %s', (_, files, text) => {
  expect(refusal(pack(files)).message).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
});

test('an error names file, line and column', () => {
  const error = refusal(pack(edit(toolPlugin(), 'tools/dim.yaml', 'min: 0', 'min: low')));
  expect(error).toMatchObject({ file: 'tools/dim.yaml', line: 11, column: 10 });
  expect(error.problems).toHaveLength(1);
});

test('bytes that are no zip are refused in the words of packages', () => {
  expect(refusal(Buffer.from('hello')).message).toBe('difypkg: not a valid difypkg file');
  expect(refusal(Buffer.alloc(0)).message).toBe('difypkg: not a valid difypkg file');
});

test('more bytes than allowed are refused before anything is inflated', () => {
  expect(refusal(pack(toolPlugin()), { maxUnpackedBytes: 100 }).message).toBe(
    'plugin package size is too large, please ensure the uncompressed size is less than 100 bytes',
  );
});

test('broken field rules are warnings, not errors', () => {
  const files = edit(toolPlugin(), 'manifest.yaml', 'tags: [utilities, agent]', 'tags: [nonsense]');
  const { warnings, declaration } = decodePackage(pack(files));
  expect(declaration.tags).toEqual(['nonsense']);
  expect(warnings).toContainEqual({
    message:
      "Key: 'PluginDeclaration.PluginDeclarationWithoutAdvancedFields.Tags[0]' Error:Field validation for 'Tags[0]' failed on the 'plugin_tag' tag",
    file: 'manifest.yaml',
  });
});

test('of several provider files the last one counts, and a warning says so', () => {
  const provider = String(toolPlugin()['provider/lamp.yaml']).replace('name: lamp', 'name: second');
  const files = edit(
    { ...toolPlugin(), 'provider/second.yaml': provider },
    'manifest.yaml',
    '[provider/lamp.yaml]',
    '[provider/lamp.yaml, provider/second.yaml]',
  );
  const { declaration, warnings } = decodePackage(pack(files));
  expect(declaration.tool?.identity.name).toBe('second');
  expect(warnings.map((warning) => warning.message)).toContain('plugins.tools names 2 files: only the last one counts');
});

test('a file name that occurs twice is refused', () => {
  const bytes = pack({ ...toolPlugin(), 'main.pX': 'other' });
  const renamed = Buffer.from(bytes.toString('latin1').replaceAll('main.pX', 'main.py'), 'latin1');
  expect(refusal(renamed).message).toBe('plugin package contains "main.py" more than once');
});

test.each([
  ['author: studio', 'author: Studio Light', 'write studio-light'],
  ['name: lamp', 'name: Lamp!', 'write lamp-'],
  ['version: 1.2.3', 'version: one', 'numbers such as 0.1.0, not "one"'],
])('an identifier that is not valid says which part is wrong: %s', (from, to, remedy) => {
  const bytes = pack(edit(toolPlugin(), 'manifest.yaml', from, to));
  expect(() => decodePackage(bytes)).toThrow(
    expect.objectContaining({
      message: expect.stringContaining('plugin_unique_identifier is not valid'),
      remedy: expect.stringContaining(remedy),
    }),
  );
});
