import { expect, test } from 'vitest';
import { decodePackage } from '../package.ts';
import {
  agentPlugin,
  datasourcePlugin,
  endpointPlugin,
  type Files,
  modelPlugin,
  pack,
  toolPlugin,
  triggerPlugin,
} from '../testing/examples.ts';
import { validateManifest } from './cross-checks.ts';
import { declarationFromRegistration, type Registration, remoteChecksum } from './remote.ts';
import type { PluginDeclaration } from './types.ts';

/** Sets (or with undefined removes) the value at a path such as `tools.0.identity.name`. */
function put(target: unknown, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let holder = target;
  for (const key of keys) holder = Reflect.get(Object(holder), key);
  if (typeof holder !== 'object' || holder === null) throw new Error(`nothing holds ${path}`);
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else Reflect.set(holder, last, value);
}

const KEYS = [
  ['tool', 'tools', 'tools'],
  ['model', 'models', 'models'],
  ['endpoint', 'endpoints', 'endpoints'],
  ['agent_strategy', 'agentStrategies', 'agent strategies'],
  ['datasource', 'datasources', 'datasources'],
  ['trigger', 'triggers', 'triggers'],
] as const;

interface Messages {
  readonly manifest: Record<string, unknown>;
  readonly [category: string]: unknown;
}

/** The messages that a debugging plugin would send for a packaged one, complete by the rules. */
function messages(files: Files): Messages {
  const manifest: Record<string, unknown> = JSON.parse(JSON.stringify(decodePackage(pack(files)).declaration));
  const lists: Record<string, unknown> = {};
  for (const [key, from] of KEYS) {
    if (manifest[key] !== undefined) lists[from] = [manifest[key]];
    delete manifest[key];
  }
  if (lists['agentStrategies'] !== undefined) {
    put(lists, 'agentStrategies.0.identity.description', { en_US: 'd' });
    put(lists, 'agentStrategies.0.strategies.0.parameters.0.help', undefined);
  }
  if (lists['datasources'] !== undefined) put(lists, 'datasources.0.datasources.0.parameters', []);
  return { ...lists, manifest };
}

/** The category that messages hold: its key in the registration and its words. */
function categoryOf(registration: Messages): readonly [from: string, words: string] {
  const row = KEYS.find(([, from]) => registration[from] !== undefined);
  if (row === undefined) throw new Error('no provider');
  return [row[1], row[2]];
}

function error(registration: Registration): string {
  try {
    declarationFromRegistration(registration);
  } catch (thrown) {
    return String(thrown).replace('PackageError: ', '');
  }
  return '';
}

const K = (path: string, rule: string) =>
  `Key: '${path}' Error:Field validation for '${path.split('.').at(-1)}' failed on the '${rule}' tag`;

test.each([
  ['tool', toolPlugin],
  ['model', modelPlugin],
  ['endpoint', endpointPlugin],
  ['agent_strategy', agentPlugin],
  ['datasource', datasourcePlugin],
  ['trigger', triggerPlugin],
] as const)('a registered %s plugin has the declaration it would have as a package', (key, make) => {
  const packaged = JSON.parse(JSON.stringify(decodePackage(pack(make())).declaration));
  const registered = declarationFromRegistration(messages(make()));
  expect(Object.keys(registered)).toEqual(Object.keys(packaged));
  if (key === 'tool' || key === 'model' || key === 'endpoint' || key === 'trigger') {
    expect(JSON.parse(JSON.stringify(registered))).toEqual(packaged);
  }
  expect(() => validateManifest(registered)).not.toThrow();
});

test('the checksum is stable and belongs to one tenant', () => {
  const one = declarationFromRegistration(messages(toolPlugin()));
  const two = declarationFromRegistration(messages(toolPlugin()));
  expect(remoteChecksum(one, 't1')).toBe(remoteChecksum(two, 't1'));
  expect(remoteChecksum(one, 't1')).not.toBe(remoteChecksum(one, 't2'));
  expect(remoteChecksum({ ...one, icon: 'other' }, 't1')).not.toBe(remoteChecksum(one, 't1'));
  expect(remoteChecksum(one, 't1')).toMatch(/^[0-9a-f]{64}$/);
});

const M = 'PluginDeclaration.PluginDeclarationWithoutAdvancedFields.';

test.each<[label: string, path: string, value: unknown, text: string]>([
  ['version', 'version', undefined, K(`${M}Version`, 'required')],
  ['short version', 'version', '1.0', K(`${M}Version`, 'version')],
  ['type', 'type', 'bundle', K(`${M}Type`, 'eq')],
  ['long author', 'author', 'a'.repeat(65), K(`${M}Author`, 'max')],
  ['long name', 'name', 'a'.repeat(129), K(`${M}Name`, 'max')],
  ['label', 'label', { zh_Hans: '标' }, K(`${M}Label.EnUS`, 'required')],
  ['long label', 'label.en_US', '漢'.repeat(1024), K(`${M}Label.EnUS`, 'lt')],
  ['icon', 'icon', undefined, K(`${M}Icon`, 'required')],
  ['memory', 'resource.memory', 0, K(`${M}Resource.Memory`, 'required')],
  [
    'small storage',
    'resource.permission',
    { storage: { enabled: false, size: 1023 } },
    K(`${M}Resource.Permission.Storage.Size`, 'min'),
  ],
  [
    'large storage',
    'resource.permission',
    { storage: { size: 1024 ** 3 + 1 } },
    K(`${M}Resource.Permission.Storage.Size`, 'max'),
  ],
  ['long path', 'plugins.tools', ['p'.repeat(129)], K(`${M}Plugins.Tools[0]`, 'max')],
  [
    'meta',
    'meta',
    undefined,
    ['Version', 'Arch', 'Runner.Language', 'Runner.Version', 'Runner.Entrypoint']
      .map((name) => K(`${M}Meta.${name}`, 'required'))
      .join('\n'),
  ],
  ['arch', 'meta.arch', ['x86'], K(`${M}Meta.Arch[0]`, 'is_available_arch')],
  ['language', 'meta.runner.language', 'go', K(`${M}Meta.Runner.Language`, 'is_available_language')],
  ['tag', 'tags', ['bogus'], K(`${M}Tags[0]`, 'plugin_tag')],
  ['created_at', 'created_at', undefined, K(`${M}CreatedAt`, 'required')],
  ['repo', 'repo', 'acme', K(`${M}Repo`, 'url')],
  ['empty repo', 'repo', '', K(`${M}Repo`, 'url')],
])('a manifest is refused for its %s', (_, path, value, text) => {
  const registration = messages(toolPlugin());
  put(registration.manifest, path, value);
  expect(error(registration)).toBe(`handshake failed, invalid plugin declaration: ${text}`);
});

test.each<[label: string, path: string, value: unknown]>([
  ['arch', 'meta.arch', []],
  ['long CJK label', 'label.en_US', '漢'.repeat(1023)],
  ['null tags', 'tags', null],
  ['unknown keys', 'future', { a: 1 }],
  ['no author', 'author', undefined],
])('a manifest is accepted with %s', (_, path, value) => {
  const registration = messages(toolPlugin());
  put(registration.manifest, path, value);
  expect(error(registration)).toBe('');
});

test('keys match whatever their case', () => {
  const registration = messages(toolPlugin());
  put(registration.manifest, 'Version', '9.9.9');
  put(registration.manifest, 'version', undefined);
  expect(declarationFromRegistration(registration).version).toBe('9.9.9');
});

type Case = [label: string, make: () => Files, path: string, value: unknown, text: string];
const T = 'ToolProviderDeclaration.';
const MO = 'ModelProviderDeclaration.';
const A = 'AgentStrategyProviderDeclaration.';
const D = 'DatasourceProviderDeclaration.';
const R = 'TriggerProviderDeclaration.';
const E = 'EndpointProviderDeclaration.';

test.each<Case>([
  ['name', toolPlugin, 'identity.name', 'a b', K(`${T}Identity.Name`, 'tool_provider_identity_name')],
  ['tag', toolPlugin, 'identity.tags', ['zzz'], K(`${T}Identity.Tags[0]`, 'plugin_tag')],
  [
    'credential type',
    toolPlugin,
    'credentials_schema.0.type',
    'any',
    K(`${T}CredentialsSchema[0].Type`, 'credential_type'),
  ],
  [
    'credential default',
    toolPlugin,
    'credentials_schema.0.default',
    [1],
    K(`${T}CredentialsSchema[0].Default`, 'is_basic_type'),
  ],
  ['credential scope', toolPlugin, 'credentials_schema.0.scope', '', K(`${T}CredentialsSchema[0].Scope`, 'is_scope')],
  [
    'selector scope',
    toolPlugin,
    'credentials_schema.0',
    { name: 'm', type: 'model-selector', scope: 'all', label: { en_US: 'l' } },
    K(`${T}CredentialsSchema[0].Scope`, 'is_scope'),
  ],
  [
    'many options',
    toolPlugin,
    'credentials_schema.1.options',
    Array.from({ length: 128 }, () => ({ value: 'v', label: { en_US: 'l' } })),
    K(`${T}CredentialsSchema[1].Options`, 'lt'),
  ],
  [
    'option value',
    toolPlugin,
    'credentials_schema.1.options.0.value',
    '',
    K(`${T}CredentialsSchema[1].Options[0].Value`, 'required'),
  ],
  [
    'OAuth type',
    toolPlugin,
    'oauth_schema',
    { client_schema: [{ name: 'x', type: 'zz', label: { en_US: 'l' } }] },
    K(`${T}OAuthSchema.ClientSchema[0].Type`, 'credential_type'),
  ],
  [
    'parameter type',
    toolPlugin,
    'tools.0.parameters.0.type',
    'text',
    K(`${T}Tools[0].Parameters[0].Type`, 'tool_parameter_type'),
  ],
  [
    'parameter form',
    toolPlugin,
    'tools.0.parameters.0.form',
    'x',
    K(`${T}Tools[0].Parameters[0].Form`, 'tool_parameter_form'),
  ],
  [
    'human description',
    toolPlugin,
    'tools.0.parameters.0.human_description',
    undefined,
    K(`${T}Tools[0].Parameters[0].HumanDescription.EnUS`, 'required'),
  ],
  [
    'auto_generate',
    toolPlugin,
    'tools.0.parameters.0.auto_generate',
    { type: 'x' },
    K(`${T}Tools[0].Parameters[0].AutoGenerate.Type`, 'parameter_auto_generate_type'),
  ],
  ['llm description', toolPlugin, 'tools.0.description.llm', '', K(`${T}Tools[0].Description.LLM`, 'required')],
  ['model type', modelPlugin, 'supported_model_types', ['x'], K(`${MO}SupportedModelTypes[0]`, 'model_type')],
  ['no model types', modelPlugin, 'supported_model_types', null, K(`${MO}SupportedModelTypes`, 'required')],
  [
    'method',
    modelPlugin,
    'configurate_methods',
    ['x'],
    K(`${MO}ConfigurateMethods[0]`, 'model_provider_configurate_method'),
  ],
  [
    'form type',
    modelPlugin,
    'provider_credential_schema.credential_form_schemas.0.type',
    'x',
    K(`${MO}ProviderCredentialSchema.CredentialFormSchemas[0].Type`, 'model_provider_form_type'),
  ],
  [
    'many forms',
    modelPlugin,
    'provider_credential_schema.credential_form_schemas',
    Array.from({ length: 33 }, () => ({ variable: 'v', label: { en_US: 'l' }, type: 'switch' })),
    K(`${MO}ProviderCredentialSchema.CredentialFormSchemas`, 'lte'),
  ],
  ['help', modelPlugin, 'help', { title: { en_US: 't' } }, K(`${MO}Help.URL.EnUS`, 'required')],
  ['models', modelPlugin, 'models', undefined, 'unexpected end of JSON input'],
  [
    'method',
    endpointPlugin,
    'endpoints.0.method',
    'PATCH',
    K(`${E}Endpoints[0].Method`, 'is_available_endpoint_method'),
  ],
  ['path', endpointPlugin, 'endpoints.0.path', '', K(`${E}Endpoints[0].Path`, 'required')],
  [
    'parameter type and scope',
    agentPlugin,
    'strategies.0.parameters.0.type',
    'dynamic-select',
    `${K(`${A}Strategies[0].Parameters[0].Type`, 'agent_strategy_parameter_type')}\n${K(`${A}Strategies[0].Parameters[0].Scope`, 'is_scope')}`,
  ],
  [
    'help',
    agentPlugin,
    'strategies.0.parameters.0.help',
    { zh_Hans: '帮' },
    K(`${A}Strategies[0].Parameters[0].Help.EnUS`, 'required'),
  ],
  [
    'default',
    agentPlugin,
    'strategies.0.parameters.0.default',
    [],
    K(`${A}Strategies[0].Parameters[0].Default`, 'is_basic_type'),
  ],
  ['provider type', datasourcePlugin, 'provider_type', 'local_file', K(`${D}ProviderType`, 'datasource_provider_type')],
  ['parameters', datasourcePlugin, 'datasources.0.parameters', null, K(`${D}Datasources[0].Parameters`, 'required')],
  ['subscription schema', triggerPlugin, 'subscription_schema', null, K(`${R}SubscriptionSchema`, 'required')],
  ['description', triggerPlugin, 'identity.description', { en_US: '' }, K(`${R}Identity.Description.EnUS`, 'required')],
  [
    'event parameter',
    triggerPlugin,
    'events.0.parameters',
    [{ name: 'n', label: { en_US: 'l' }, type: 'date' }],
    K(`${R}Events[0].Parameters[0].Type`, 'event_parameter_type'),
  ],
  [
    'event name',
    triggerPlugin,
    'events.0.identity.name',
    'a.b',
    K(`${R}Events[0].Identity.Name`, 'event_identity_name'),
  ],
])('a provider is refused for its %s', (_, make, path, value, text) => {
  const registration = messages(make());
  const [from, words] = categoryOf(registration);
  put(registration, `${from}.0.${path}`, value);
  expect(error(registration)).toBe(`${words} register failed, invalid ${words} declaration: ${text}`);
});

test.each<[label: string, make: () => Files, path: string, value: unknown]>([
  ['no tools', toolPlugin, 'tools', []],
  ['null tools', toolPlugin, 'tools', null],
  ['names of files as tools', toolPlugin, 'tools', ['tools/x.yaml']],
  ['an unknown part beside a known scope', agentPlugin, 'strategies.0.parameters.0.scope', 'x & llm'],
  ['any type inside a subscription schema', triggerPlugin, 'subscription_schema.0.type', 'zz'],
  ['any type of a model', modelPlugin, 'models.0.model_type', 'zz'],
  ['no model types', modelPlugin, 'supported_model_types', []],
])('a provider is accepted with %s', (_, make, path, value) => {
  const registration = messages(make());
  put(registration, `${categoryOf(registration)[0]}.0.${path}`, value);
  expect(error(registration)).toBe('');
});

test('credentials of a tool may be an object, whose keys are the names', () => {
  const registration = messages(toolPlugin());
  put(registration, 'tools.0.credentials_schema', { token: { type: 'text-input', label: { en_US: 'T' } } });
  expect(declarationFromRegistration(registration).tool?.credentials_schema[0]?.name).toBe('token');
  put(registration, 'tools.0.credentials_schema', undefined);
  expect(error(registration)).toBe(
    'tools register failed, invalid tools declaration: failed to unmarshal credentials_schema as array: unexpected end of JSON input',
  );
});

test('a tool that does not decode is an error, it does not vanish', () => {
  const registration = messages(toolPlugin());
  put(registration, 'tools.0.tools.0.parameters.0.precision', 1.5);
  expect(error(registration)).toMatch(
    /^tools register failed, .*json: cannot unmarshal number 1\.5 into .*precision of type int$/,
  );
});

test('cross checks name the first broken rule', () => {
  const declaration = declarationFromRegistration(messages(toolPlugin()));
  const broken = (change: Partial<PluginDeclaration>) => () => validateManifest({ ...declaration, ...change });
  const model = declarationFromRegistration(messages(modelPlugin())).model;
  expect(broken({ author: 'Acme' })).toThrow(/^author must be alphanumeric/);
  expect(broken({ name: 'A' })).toThrow(/^plugin name must be alphanumeric/);
  if (model === undefined) throw new Error('no model');
  expect(broken({ model })).toThrow(/^model and datasource, tool/);
});
