import { rule } from '@plugin-daemon/wire-schema';
import {
  any,
  basic,
  boolean,
  configs,
  list,
  listed,
  lt,
  max,
  named,
  nonEmpty,
  nullable,
  object,
  oneOf,
  pattern,
  required,
  text,
  zero,
} from '../shape.ts';
import type {
  AutoGenerate,
  ConfigOption,
  Enabled,
  I18n,
  Identity,
  OAuthSchema,
  ParameterOption,
  ProviderConfig,
  ProviderIdentity,
} from '../types.ts';

/** Tables of docs/wire/packages.md#shared-types, used by every category. */

export const TAGS = [
  'search',
  'image',
  'videos',
  'weather',
  'finance',
  'design',
  'travel',
  'social',
  'news',
  'medical',
  'productivity',
  'education',
  'business',
  'entertainment',
  'utilities',
  'agent',
  'rag',
  'other',
  'trigger',
] as const;

/** Tags of the manifest that Dify does not accept in a provider's identity. */
export const PLUGIN_ONLY_TAGS: readonly string[] = ['agent', 'trigger'];

/** One known part is enough, whatever the others are. */
export const scope = rule('is_scope', (value, { type }) => {
  if (typeof value !== 'string') return false;
  const known = SCOPES.get(typeof type === 'string' ? type : '') ?? [];
  return value.split('&').some((part) => known.includes(part.trim()));
});

export const tagRule = oneOf(TAGS, 'plugin_tag');
export const tagText = named('manifest_entities.PluginTag');

export const i18n = object<I18n>('I18nObject', {
  en_US: zero(text, 'EnUS', { rules: [required, lt(1024)] }),
  ja_JP: nonEmpty(text, 'JaJp', { rules: [lt(1024)] }),
  zh_Hans: nonEmpty(text, 'ZhHans', { rules: [lt(1024)] }),
  pt_BR: nonEmpty(text, 'PtBr', { rules: [lt(1024)] }),
});

export const parameterOption = object<ParameterOption>('ParameterOption', {
  value: zero(text, 'Value', { rules: [required] }),
  label: zero(i18n, 'Label'),
  icon: zero(text, 'Icon'),
});

export const autoGenerate = object<AutoGenerate>('ParameterAutoGenerate', {
  type: zero(named('plugin_entities.ParameterAutoGenerateType'), 'Type', {
    rules: [required, oneOf(['prompt_instruction'], 'parameter_auto_generate_type')],
  }),
});

export const template = object<Enabled>('ParameterTemplate', { enabled: zero(boolean, 'Enabled') });

export const CONFIG_TYPES = [
  'secret-input',
  'text-input',
  'select',
  'boolean',
  'app-selector',
  'model-selector',
  'array[tools]',
] as const;

const configOption = object<ConfigOption>('ConfigOption', {
  value: zero(text, 'Value', { rules: [required, lt(128)] }),
  label: zero(i18n, 'Label'),
});

export const providerConfig = object<ProviderConfig>('ProviderConfig', {
  name: zero(text, 'Name', { rules: [lt(1024)], optional: true }),
  type: zero(named('plugin_entities.ConfigType'), 'Type', {
    rules: [required, oneOf(CONFIG_TYPES, 'credential_type')],
  }),
  scope: nullable(text, 'Scope', { rules: [scope] }),
  required: zero(boolean, 'Required'),
  default: nullable(any, 'Default', { rules: [basic] }),
  options: nullable(list(configOption), 'Options', { rules: [lt(128)] }),
  multiple: zero(boolean, 'Multiple'),
  label: zero(i18n, 'Label'),
  help: nullable(i18n, 'Help'),
  url: nullable(text, 'URL'),
  placeholder: nullable(i18n, 'Placeholder'),
});

export const oauthSchema = object<OAuthSchema>('OAuthSchema', {
  client_schema: listed(list(providerConfig), 'ClientSchema'),
  credentials_schema: listed(list(providerConfig), 'CredentialsSchema'),
});

export const credentials = configs(providerConfig);
export const strictCredentials = configs(providerConfig, true);

const NAME = /^[a-zA-Z0-9_-]+$/;

export function identityOf(type: string, nameRule: string) {
  return object<Identity>(type, {
    author: zero(text, 'Author', { rules: [required] }),
    name: zero(text, 'Name', { rules: [required, pattern(nameRule, NAME)] }),
    label: zero(i18n, 'Label'),
  });
}

export function providerIdentityOf(type: string, embedded?: string) {
  const fields = ['author', 'name', 'description', 'icon', 'icon_dark', 'label', 'tags'];
  return object<ProviderIdentity>(
    type,
    {
      author: zero(text, 'Author', { rules: [required] }),
      name: zero(text, 'Name', { rules: [required, pattern('tool_provider_identity_name', NAME)] }),
      description: zero(i18n, 'Description'),
      icon: zero(text, 'Icon', { rules: [required] }),
      icon_dark: zero(text, 'IconDark'),
      label: zero(i18n, 'Label'),
      tags: listed(list(tagText), 'Tags', { each: [tagRule] }),
    },
    embedded === undefined ? {} : { embedded: { as: embedded, fields } },
  );
}

/** Known scopes of selectors (docs/wire/packages.md#scopes); any other type takes no scope. */
export const SCOPES: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'model-selector',
    ['llm', 'text-embedding', 'rerank', 'tts', 'speech2text', 'moderation', 'vision', 'document', 'tool-call'],
  ],
  ['app-selector', ['all', 'chat', 'workflow', 'completion']],
  ['any', ['string', 'number', 'object', 'array[number]', 'array[string]', 'array[object]', 'array[file]']],
]);

export const VERSION = /^\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?$/;
export const versionRule = pattern('version', VERSION);
export const maxScope = [max(1024), scope];
