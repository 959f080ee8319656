/** What the management routes bind (docs/wire/http-api.md#management; their names: docs/wire/http-api.md#validation-messages). */
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import {
  array,
  int,
  max,
  min,
  object,
  oneOf,
  type Rule,
  record,
  required,
  rule,
  string,
} from '@plugin-daemon/wire-schema';

const identifierRule: Rule = rule(
  'plugin_unique_identifier',
  (value) => typeof value === 'string' && isUniqueIdentifier(value),
  { pattern: '^(?:[a-z0-9_-]{1,64}/)?[a-z0-9_-]{1,255}:[0-9]{1,4}(\\.[0-9]{1,4}){1,3}(-\\w{1,16})?@[a-f0-9]{32,64}$' },
);

/** Sources that Dify can read back; with others it would refuse its own list (docs/wire/http-api.md#installing). */
const sourceRule = oneOf(['github', 'marketplace', 'package', 'remote']);

const pluginTags = [
  'search', 'image', 'videos', 'weather', 'finance', 'design', 'travel', 'social', 'news', 'medical', 'productivity',
  'education', 'business', 'entertainment', 'utilities', 'agent', 'rag', 'other', 'trigger',
]; // biome-ignore format: a list of words

const languages = ['en_US', 'zh_Hans', 'ja_JP', 'pt_BR'];

const identifier = (name: string) =>
  string(name).check(required, identifierRule).describe('`author/name:version@checksum`');

const page = {
  page: int('Page').check(required, min(1)).describe('Page, from 1.'),
  page_size: int('PageSize').check(required, min(1), max(256)).describe('Rows of a page.'),
};

export const Paging = record('', page);

export const ByIdentifier = record('', { plugin_unique_identifier: identifier('PluginUniqueIdentifier') });

export const ReadmeRequest = record('', {
  plugin_unique_identifier: identifier('PluginUniqueIdentifier'),
  language: string('Language').describe('Preferred language, such as `zh_Hans`; otherwise English.'),
});

export const CategoryRequest = record('listInstalledPluginIDsRequest', {
  category: string('Category').check(required).describe('As in the manifest: `tool`, `model`, `extension`, …'),
});

export const CategoryList = record('listPluginsByCategoryRequest', {
  ...page,
  query: string('Query').check(max(256)).describe('Part of id, name, label or description.'),
  tags: array('Tags', string('').check(oneOf(pluginTags, 'plugin_tag')), { dive: true })
    .check(max(128))
    .describe('Any of these tags.'),
  language: string('Language')
    .check(rule('oneof', (value) => value === '' || languages.some((each) => each === value), { enum: languages }))
    .describe('Language that `query` is searched in.'),
});

export const PluginIds = record('', {
  plugin_ids: array('PluginIDs', string('')).check(required, max(256)),
});

export const Identifiers = record('', {
  plugin_unique_identifiers: array('PluginUniqueIdentifiers', string('').check(identifierRule), { dive: true }).check(
    required,
    max(256),
  ),
});

export const InstallBody = record('', {
  plugin_unique_identifiers: array('PluginUniqueIdentifiers', string('').check(identifierRule), { dive: true }).check(
    required,
    max(64),
  ),
  source: string('Source').check(required, sourceRule),
  metas: array('Metas', object('')).describe('One for each identifier; null is an empty object.'),
});

export const UpgradeBody = record('', {
  original_plugin_unique_identifier: identifier('OriginalPluginUniqueIdentifier'),
  new_plugin_unique_identifier: identifier('NewPluginUniqueIdentifier'),
  source: string('Source').check(required, sourceRule),
  meta: object('Meta'),
});

export const RollbackBody = record('', {
  plugin_id: string('PluginID').check(required, max(255)).describe('`author/name`'),
});

export const UninstallBody = record('', {
  plugin_installation_id: string('PluginInstallationID').check(required),
});

export const ProviderRequest = record('', {
  plugin_id: string('PluginID').check(required).describe('`author/name`'),
  provider: string('Provider').check(required).describe('Name of the provider inside the plugin.'),
});

const ToolProvider = record('', {
  plugin_id: string('PluginID').check(required),
  provider_name: string('ProviderName').check(required),
});

export const ExistenceBody = record('', {
  provider_ids: array('ProviderIDS', ToolProvider, { dive: true }).check(required),
});

export const AssetRequest = record('', {
  plugin_unique_identifier: identifier('PluginUniqueIdentifier'),
  file_path: string('FilePath').check(required).describe('Path below the `_assets` of the package.'),
});
