import { expect, test } from 'vitest';
import { openPackage } from './archive/index.ts';
import { assetId, readAsset } from './assets.ts';
import type { ProviderConfig } from './declaration/index.ts';
import {
  declarationCategory,
  decodeModelDeclaration,
  parseDeclaration,
  presentDeclaration,
  stringifyDeclaration,
} from './declaration/index.ts';
import { PackageError } from './errors.ts';
import { isRemoteLike, isUniqueIdentifier, parseUniqueIdentifier, workingDirectoryName } from './identifier.ts';
import { decodePackage } from './package.ts';
import { readReadmes } from './readme.ts';
import { maskSecret, maskSettings, validateSettings } from './settings.ts';
import {
  agentPlugin,
  datasourcePlugin,
  endpointPlugin,
  modelPlugin,
  pack,
  toolPlugin,
  triggerPlugin,
} from './testing/examples.ts';

const HEX = 'ab'.repeat(32);

test('an identifier comes apart', () => {
  const uid = parseUniqueIdentifier(`acme/box:0.1.0-beta@${HEX}`);
  expect(uid).toMatchObject({
    pluginId: 'acme/box',
    identity: 'acme/box:0.1.0-beta',
    author: 'acme',
    name: 'box',
    version: '0.1.0-beta',
    checksum: HEX,
  });
  expect(workingDirectoryName(uid)).toBe(`acme/box-0.1.0-beta@${HEX}`);
});

test.each([`a/b:1.0.0@${HEX}`, `b:1.0.0@${HEX}`, `a/b:1.0@${'0'.repeat(32)}`, `a/b:1.0.0.0@${HEX}`])(
  '%s is one',
  (text) => {
    expect(isUniqueIdentifier(text)).toBe(true);
  },
);

test.each([
  `a/b:1@${HEX}`,
  `a/b:1.0.0.0.0@${HEX}`,
  `A/b:1.0.0@${HEX}`,
  `a/b:1.0.0@${'0'.repeat(31)}`,
  `a/b:1.0.0@${HEX}0`,
  `a/${'n'.repeat(256)}:1.0.0@${HEX}`,
  `a/b:1.0.0@${HEX}\n`,
  '',
])('%j is none', (text) => {
  expect(() => parseUniqueIdentifier(text)).toThrow(`plugin_unique_identifier is not valid: ${text}`);
});

test('an author that is a UUID makes a debugging plugin', () => {
  expect(isRemoteLike(`00000000-0000-4000-8000-000000000001/x:1.0.0@${HEX}`)).toBe(true);
  expect(isRemoteLike(`${'0'.repeat(32)}/x:1.0.0@${HEX}`)).toBe(true);
  expect(isRemoteLike(`acme/x:1.0.0@${HEX}`)).toBe(false);
  expect(isRemoteLike(`x:1.0.0@${HEX}`)).toBe(false);
});

test.each([
  [toolPlugin, 'tool'],
  [modelPlugin, 'model'],
  [datasourcePlugin, 'datasource'],
  [agentPlugin, 'agent-strategy'],
  [triggerPlugin, 'trigger'],
  [endpointPlugin, 'extension'],
] as const)('categories and stored text of $1', (make, category) => {
  const { declaration } = decodePackage(pack(make()));
  expect(declarationCategory(declaration)).toBe(category);
  const text = stringifyDeclaration(declaration);
  expect(stringifyDeclaration(parseDeclaration(text))).toBe(text);
  expect(presentDeclaration(declaration)).toBe(declaration);
});

test('rows of other versions are read with everything in its place', () => {
  const row = {
    name: 'old',
    author: 'acme',
    label: null,
    description: { en_US: 'about' },
    tags: null,
    icon: 7,
    future: true,
    tool: {
      identity: { name: 'old', tags: null },
      credentials_schema: null,
      oauth_schema: { client_schema: null },
      tools: null,
    },
    endpoint: { settings: null, endpoints: null },
    model: {
      provider: 'p',
      models: [{ model: 'm', model_properties: null, parameter_rules: [{ name: 'r', use_template: 'gone' }] }],
    },
  };
  const declaration = parseDeclaration(JSON.stringify(row));
  expect(declaration).toMatchObject({
    label: { en_US: '' },
    tags: [],
    icon: '',
    plugins: { tools: null },
    tool: {
      identity: { description: { en_US: 'about' }, tags: [] },
      credentials_schema: [],
      oauth_schema: { client_schema: [], credentials_schema: [] },
      tools: [],
    },
    endpoint: { settings: [], endpoints: [] },
    model: { description: { en_US: 'about' }, models: [{ label: { en_US: 'm' }, model_properties: {} }] },
  });
  expect('future' in declaration).toBe(false);
  expect(() => parseDeclaration('[]')).toThrow('the stored declaration is not a JSON object');
  expect(() => parseDeclaration('{')).toThrow('the stored declaration is not valid JSON');
});

test('a model that a plugin describes is held to the rules and made whole', () => {
  const model = {
    model: 'm',
    label: { en_US: 'M' },
    model_type: 'llm',
    model_properties: { context_size: 9 },
    parameter_rules: [{ name: 't', use_template: 'top_k' }],
    pricing: { input: 0.5, unit: '1e-3', currency: 'USD' },
  };
  expect(decodeModelDeclaration(model)).toMatchObject({
    fetch_from: 'predefined-model',
    parameter_rules: [{ type: 'int', default: 50, max: 100, options: [] }],
    pricing: { input: '0.5', output: null, unit: '0.001' },
  });
  const fails = (change: object) => () => decodeModelDeclaration({ ...model, ...change });
  expect(fails({ label: { en_US: '' } })).toThrow("Key: 'ModelDeclaration.Label.EnUS'");
  expect(fails({ model_type: 'x' })).toThrow("failed on the 'model_type' tag");
  expect(fails({ parameter_rules: [{ name: 'r' }] })).toThrow(
    "Key: 'ModelDeclaration.ParameterRules[0]' Error:Field validation for 'ParameterRules[0]' failed on the 'parameter_rule' tag",
  );
  expect(fails({ parameter_rules: [{ name: 'r', use_template: 'no' }] })).toThrow('use_template no not found');
});

const config = (name: string, type: string, more: Partial<ProviderConfig> = {}): ProviderConfig => ({
  name,
  type,
  scope: null,
  required: false,
  default: null,
  options: null,
  multiple: false,
  label: { en_US: name },
  help: null,
  url: null,
  placeholder: null,
  ...more,
});

const MODEL = { provider: 'p', model: 'm', model_type: 'llm' };
const CHOICES = { options: [{ value: 'a', label: { en_US: 'A' } }] };

test.each<[Record<string, unknown>, ProviderConfig, string | null]>([
  [{}, config('x', 'text-input', { required: true }), 'missing required setting: x'],
  [{ x: null }, config('x', 'text-input', { required: true }), 'missing required setting: x'],
  [{ x: '' }, config('x', 'text-input', { required: true }), null],
  [{}, config('x', 'select', CHOICES), null],
  [{ x: 1 }, config('x', 'secret-input'), 'setting x is not a string'],
  [{ x: 1 }, config('x', 'select', CHOICES), 'setting x is not a string'],
  [{ x: 'b' }, config('x', 'select', CHOICES), 'setting x is not a valid option'],
  [{ x: 'a' }, config('x', 'select', CHOICES), null],
  [{ x: 'true' }, config('x', 'boolean'), 'setting x is not a boolean'],
  [{ x: [] }, config('x', 'app-selector'), 'setting x is not a map'],
  [{ x: {} }, config('x', 'app-selector'), 'setting x is missing app_id'],
  [{ x: 'm' }, config('x', 'model-selector'), 'setting x is not a map'],
  [{ x: {} }, config('x', 'model-selector'), 'setting x is missing provider'],
  [{ x: { provider: 'p' } }, config('x', 'model-selector'), 'setting x is missing model'],
  [{ x: { provider: 'p', model: 'm' } }, config('x', 'model-selector'), 'setting x is missing model_type'],
  [{ x: MODEL }, config('x', 'model-selector', { scope: 'rerank' }), 'setting x is missing score_threshold'],
  [
    { x: { ...MODEL, score_threshold: 1 } },
    config('x', 'model-selector', { scope: 'rerank' }),
    'setting x is missing top_n',
  ],
  [{ x: MODEL }, config('x', 'model-selector', { scope: 'tts' }), 'setting x is missing voice'],
  [{ x: MODEL }, config('x', 'model-selector', { scope: 'llm & vision' }), 'setting x is missing completion_params'],
  [{ x: MODEL }, config('x', 'model-selector', { scope: 'document&tool-call' }), null],
  [{ x: 5 }, config('x', 'array[tools]'), null],
  [{ other: 5 }, config('x', 'text-input'), null],
])('settings %j', (settings, field, problem) => {
  const run = () => validateSettings(settings, [field]);
  if (problem === null) expect(run).not.toThrow();
  else expect(run).toThrow(expect.objectContaining({ message: problem }));
});

test('more than 64 settings are refused', () => {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 1]));
  expect(() => validateSettings(many, [])).toThrow('too many setting fields');
});

test('secrets are masked, the rest is not', () => {
  expect(['', '123456', '1234567', 'geheim-ü-x'].map(maskSecret)).toEqual(['', '******', '12***67', 'ge*******-x']);
  const fields = [config('key', 'secret-input'), config('url', 'text-input')];
  expect(maskSettings({ key: 'sk-1234', url: 'sk-1234', n: 1 }, fields)).toEqual({
    key: 'sk***34',
    url: 'sk-1234',
    n: 1,
  });
});

test('readmes are found by language', () => {
  const archive = openPackage(
    pack({
      ...toolPlugin(),
      'readme/README_zh_Hans.md': '读',
      'readme/README_de.md': 'no',
      'readme/deep/README_ja_JP.md': 'no',
      'readme/README_pt_BR.md': 'lê',
    }),
  );
  expect(Object.fromEntries(readReadmes(archive))).toEqual({ en_US: '# read me\n', zh_Hans: '读', pt_BR: 'lê' });
  expect(() => readReadmes(openPackage(pack({ a: '' })))).toThrow(
    'open README.md: file does not exist\nen_US readme not found',
  );
});

test('assets are found with and without their folder', () => {
  const archive = openPackage(pack({ '_assets/a/b.png': 'png' }));
  expect(Buffer.from(readAsset(archive, 'a/b.png') ?? []).toString()).toBe('png');
  expect(Buffer.from(readAsset(archive, '_assets/a/b.png') ?? []).toString()).toBe('png');
  expect(readAsset(archive, 'none.png')).toBeNull();
  expect(assetId('a.b/noext', Buffer.from('x'))).toMatch(/^[0-9a-f]{64}$/);
  expect(assetId('x.tar.gz', Buffer.from('x'))).toMatch(/^[0-9a-f]{64}\.gz$/);
});

test('a message of an error quotes no more of a package than can be read', () => {
  const error = new PackageError(`name ${'a'.repeat(1_000_000)} is not valid`).joined('failed to read the manifest');
  expect(error.message.length).toBeLessThanOrEqual(8192);
  expect(error.message).toMatch(/^name aaa.*…a+ is not valid\nfailed to read the manifest$/);
  expect(new PackageError('short').message).toBe('short');
});
